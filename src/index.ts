export { AsyncTeardownError, type ErrorCode, errorCodes } from "./errors.js";
export { protectSelf } from "./protect/self.js";
export { type ProtectOptions, spawn } from "./protect/spawn.js";
