export interface KernelVersion {
  readonly major: number;
  readonly minor: number;
}

/** Reads the release that uname(2) gives, "6.1.0-13-amd64"; undefined where it starts otherwise. */
export function parseRelease(text: string): KernelVersion | undefined {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(text) ?? [];
  return major === undefined || minor === undefined
    ? undefined
    : { major: Number(major), minor: Number(minor) };
}

export function isAtLeast(version: KernelVersion, major: number, minor: number): boolean {
  return version.major > major || (version.major === major && version.minor >= minor);
}
