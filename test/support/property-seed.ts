/** Property tests try other values each time, unless PROPERTY_SEED says which: what decides what lands sets it. */
import fc from "fast-check";

const { PROPERTY_SEED } = process.env;

if (PROPERTY_SEED !== undefined) fc.configureGlobal({ seed: Number(PROPERTY_SEED) });
