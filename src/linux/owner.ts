import { parseCgroups } from "./cgroup.js";

/** For whom a process runs, as the path of its cgroup says. What it does not say is null. */
export interface Owner {
  /** The innermost unit of systemd, not a slice: "redis-server.service". */
  readonly unit: string | null;
  /** The container's whole ID, or its name where the runtime uses that. */
  readonly container: string | null;
}

const unitName = /^[\w:.\\@-]{1,249}\.(?:service|scope|socket|mount|swap)$/;
const containerId = /^[\w.+-]{1,128}$/;

/**
 * How runtimes name the cgroup of a container: docker-ID.scope, libpod-ID.scope, cri-containerd-ID.scope and
 * the like where systemd makes it; ID, mostly of 64 digits, where they make it themselves.
 */
const patterns = [
  /^(?:docker|libpod|cri-containerd|crio|containerd|nerdctl|runc|crun)-([\w.+-]+)\.scope$/,
  /^(?:libpod-|crio-)?([0-9a-f]{64})$/,
  /^lxc\.payload\.([\w.+-]+)$/,
  /^systemd-nspawn@([\w.+-]+)\.service$/,
];

/** The folders below which the next name is a container's: /docker/ID, /lxc/NAME. */
const folders = ["docker", "lxc"];

function containerIn(names: readonly string[]): string | null {
  for (const [index, name] of [...names.entries()].reverse()) {
    const id = patterns.map((pattern) => pattern.exec(name)?.[1]).find((match) => match !== undefined);

    if (id !== undefined && !/^conmon/.test(id)) return id;
    if (index > 0 && folders.includes(names[index - 1] ?? "") && containerId.test(name)) return name;
  }
  return null;
}

/** Reads for whom a process runs from the text of its /proc/<pid>/cgroup. */
export function parseOwner(text: string): Owner {
  const owners = [...parseCgroups(text).values()].map((path) => {
    const names = path.split("/").filter((name) => name !== "");
    const unit = names.findLast((name) => unitName.test(name)) ?? null;
    return { unit, container: containerIn(names) };
  });

  return {
    unit: owners.find(({ unit }) => unit !== null)?.unit ?? null,
    container: owners.find(({ container }) => container !== null)?.container ?? null,
  };
}

/** As a holder's last argument says it: "unit=redis-server.service container=0123abcd", or a part of it. */
export function encodeOwner({ unit, container }: Owner): string {
  const words = [
    unit !== null && unitName.test(unit) ? `unit=${unit}` : "",
    container !== null && containerId.test(container) ? `container=${container}` : "",
  ];
  return words.filter((word) => word !== "").join(" ");
}

/** Reads what {@link encodeOwner} wrote; what is nothing of the kind is null. */
export function decodeOwner(words: string): Owner {
  const [, unit, container] = /^(?:unit=(\S+))? ?(?:container=(\S+))?$/.exec(words) ?? [];

  return {
    unit: unit !== undefined && unitName.test(unit) ? unit : null,
    container: container !== undefined && containerId.test(container) ? container : null,
  };
}
