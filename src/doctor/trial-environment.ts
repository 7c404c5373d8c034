/** The environment of a trial's Node.js: ours, but for what would have it do more than that. */
export function trialEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("NODE_")));
}
