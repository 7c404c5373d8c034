import { AsyncTeardownError } from "../../errors.js";

/** As systemd.unit(5) allows it, without what a template's or an instance's '@' adds. */
const valid = /^[A-Za-z0-9:_.\\-]+(?:@[A-Za-z0-9:_.\\@-]*)?\.service$/;
const otherType = /\.(socket|device|mount|automount|swap|target|path|timer|slice|scope)$/;

/** Room for "async-teardown-hold@" and ".service" around it; a unit's name has at most 255 bytes. */
const longestName = 225;

/**
 * The name of a service as a user gave it, with its suffix, as systemctl(1) adds it.
 * @throws AsyncTeardownError ERR_UNIT
 */
export function serviceName(word: string): string {
  const [, type] = otherType.exec(word) ?? [];

  if (type !== undefined)
    throw new AsyncTeardownError("ERR_UNIT", `${word} is a ${type}, and only a service has a main process`, {
      advice: "name the service; a template such as app@.service serves all of its instances",
    });
  const name = word.endsWith(".service") ? word : `${word}.service`;

  if (!valid.test(name) || name.length > longestName)
    throw new AsyncTeardownError("ERR_UNIT", `'${word}' is not the name of a service`, {
      advice: "'systemd-escape --mangle NAME' writes any text as one",
    });
  return name;
}

export const isTemplate = (unit: string) => unit.endsWith("@.service");

/** The template of an instance; undefined where the service is none. */
export function templateOf(service: string): string | undefined {
  const [, stem] = /^([^@]*@).+\.service$/.exec(service) ?? [];
  return stem && `${stem}.service`;
}

/** Whether a unit is the service, or an instance of the template. */
export function isOfService(unit: string | null | undefined, service: string): boolean {
  if (typeof unit !== "string") return false;
  if (!isTemplate(service)) return unit === service;
  return (
    unit !== service && unit.startsWith(service.slice(0, -".service".length)) && unit.endsWith(".service")
  );
}
