export { AsyncTeardownError, type ErrorCode, errorCodes } from "./errors.js";
export type { Priority } from "./linux/holder.js";
export { type AttachOptions, attach, type Hold } from "./protect/attach.js";
export { detach } from "./protect/detach.js";
export { protectSelf } from "./protect/self.js";
export { type ProtectOptions, spawn } from "./protect/spawn.js";
