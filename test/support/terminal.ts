import { asyncTeardown } from "./paths.js";
import { runToEnd } from "./start.js";

/** What has a say in whether there are colours; Node.js sees none in CI. */
const cleared = {
  CI: undefined,
  NO_COLOR: undefined,
  FORCE_COLOR: undefined,
  NODE_DISABLE_COLORS: undefined,
};

/** What async-teardown writes to a terminal so wide; util-linux's script(1) makes one. */
export async function onTerminal(
  words: string,
  { width = 80, under = "", ...variables }: { width?: number; under?: string; NO_COLOR?: string } = {},
): Promise<string> {
  const command = `stty rows 24 cols ${width}; exec ${under} '${asyncTeardown}' ${words}`;
  const { stdout } = await runToEnd(["script", "--quiet", "--return", "--command", command, "/dev/null"], {
    env: { ...cleared, TERM: "xterm-256color", ...variables },
  });
  return stdout.replaceAll("\r", "");
}
