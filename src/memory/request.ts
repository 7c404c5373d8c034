/** Huge pages of one size, of the pool that the machine's administrator set aside. */
export interface HugePageRequest {
  /** Bytes of one page. */
  readonly size: number;
  readonly count: number;
  /** The NUMA node that they are to be on; any, unless given. */
  readonly node?: number | undefined;
}

/** Memory that somebody is about to take. */
export interface MemoryRequest {
  /** Ordinary memory: of the host, and within the limits of the cgroup. */
  readonly bytes?: number | bigint | undefined;
  readonly hugePages?: readonly HugePageRequest[] | undefined;
  /**
   * The cgroup that will use the memory, as a path in the cgroup tree, with or without the mount point
   * before it.
   * @default that of this process
   */
  readonly cgroup?: string | undefined;
}
