import { AsyncTeardownError } from "../../errors.js";
import { listUnits, type Service, showService, systemctl } from "./systemctl.js";
import { isTemplate, serviceName } from "./unit-name.js";

export interface FoundService {
  /** Its own name, where an alias was given. */
  readonly service: string;
  /** Itself, or the instances of a template, as far as they run. */
  readonly running: readonly string[];
}

function refuseService(name: string, why: string, advice?: string): never {
  throw new AsyncTeardownError("ERR_UNIT", `${name} ${why}`, advice === undefined ? {} : { advice });
}

function check(name: string, { loadState, isTransient }: Service): void {
  if (loadState === "not-found")
    refuseService(name, "does not exist", "'systemctl list-unit-files --type=service' lists those that do");
  if (loadState === "masked")
    refuseService(name, "is masked: it cannot be started", "'systemctl unmask' it first");
  if (loadState !== "loaded")
    refuseService(name, `could not be loaded (${loadState})`, `'systemctl status ${name}' says why`);
  if (isTransient)
    refuseService(
      name,
      "is transient: it is gone when it stops",
      "protect its processes by 'async-teardown attach PID'",
    );
}

/** A template is no unit: only its file can be asked for. */
async function findTemplate(isUser: boolean, name: string): Promise<FoundService> {
  const listed = await systemctl(isUser, "list-unit-files", "--plain", "--no-legend", "--", name).catch(
    () => "",
  );
  const [, state] = listed.trim().split(/\s+/);

  if (state === undefined)
    refuseService(name, "does not exist", "'systemctl list-unit-files --type=service' lists those that do");
  if (state.startsWith("masked"))
    refuseService(name, "is masked: it cannot be started", "'systemctl unmask' it first");
  const units = await listUnits(isUser, "--state=active,activating,reloading", name.replace("@", "@*"));
  return { service: name, running: units };
}

/** @throws AsyncTeardownError ERR_UNIT where there is no such service that could be started */
export async function findService(isUser: boolean, word: string): Promise<FoundService> {
  const name = serviceName(word);

  if (isTemplate(name)) return findTemplate(isUser, name);
  const service = await showService(isUser, name);

  check(name, service);
  return { service: service.id, running: service.isActive ? [service.id] : [] };
}
