import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeOwner, encodeOwner, parseOwner } from "../../src/linux/owner.js";

const id = "0123456789abcdef".repeat(4);

describe("for whom a process runs", () => {
  it.each([
    ["/", null, null],
    ["/init.scope", "init.scope", null],
    ["/system.slice/redis-server.service", "redis-server.service", null],
    ["/system.slice/system-postgresql.slice/postgresql@15-main.service", "postgresql@15-main.service", null],
    ["/system.slice/a.service/worker", "a.service", null],
    [
      "/user.slice/user-1000.slice/user@1000.service/app.slice/app-x\\x2dy.service",
      "app-x\\x2dy.service",
      null,
    ],
    [`/system.slice/docker-${id}.scope`, `docker-${id}.scope`, id],
    [`/docker/${id}`, null, id],
    [`/system.slice/docker.service/docker/${id}`, "docker.service", id],
    [`/machine.slice/libpod-${id}.scope/container`, `libpod-${id}.scope`, id],
    [`/machine.slice/libpod-conmon-${id}.scope`, `libpod-conmon-${id}.scope`, null],
    [
      `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1_2.slice/cri-containerd-${id}.scope`,
      `cri-containerd-${id}.scope`,
      id,
    ],
    [`/kubepods/burstable/pod12-34/${id}`, null, id],
    [`/kubepods.slice/kubepods-pod1.slice/crio-${id}.scope`, `crio-${id}.scope`, id],
    ["/lxc.payload.web/system.slice/nginx.service", "nginx.service", "web"],
    ["/machine.slice/systemd-nspawn@web.service/payload", "systemd-nspawn@web.service", "web"],
    [
      "/machine.slice/machine-qemu\\x2d1\\x2dvm.scope/libvirt/emulator",
      "machine-qemu\\x2d1\\x2dvm.scope",
      null,
    ],
  ])("is read from %s", (path, unit, container) => {
    expect(parseOwner(`0::${path}\n`)).toEqual({ unit, container });
    expect(parseOwner(`4:memory:/other\n1:name=systemd:${path}\n0::/\n`)).toEqual({ unit, container });
  });

  it("survives being written down, and is nothing where it was never written", () => {
    for (const owner of [
      { unit: "a@b\\x2dc.service", container: id },
      { unit: "a.scope", container: null },
      { unit: null, container: "web" },
      { unit: null, container: null },
    ])
      expect(decodeOwner(encodeOwner(owner))).toEqual(owner);
    expect(decodeOwner("unit=\x1b[2J.service")).toEqual({ unit: null, container: null });
  });

  it("is something or nothing for any text", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(Object.keys(parseOwner(`0::/${text}\n`))).toEqual(["unit", "container"]);
        expect(decodeOwner(encodeOwner(decodeOwner(text)))).toEqual(decodeOwner(text));
      }),
    );
  });
});
