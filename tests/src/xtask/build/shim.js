// Wraps the bound module into what the platform starts. After a trap (a panic of the Rust code) the memory of the instance
// cannot be trusted: the next call starts with a new one, and Durable Objects are built again.
import { WorkerEntrypoint } from "cloudflare:workers";
import * as wasm from "./bound.js";

// Every line of the log takes the stack with it: two milliseconds of processor time at a depth of 100.
Error.stackTraceLimit = 10;
const state = wasm.__worker_init_state();

function start() {
  if (!state.criticalError) return;
  console.error("restarting the Wasm instance after a panic");
  wasm.__wbg_reset_state();
  state.criticalError = false;
  state.instanceId++;
}

function note(error) {
  if (!(error instanceof WebAssembly.RuntimeError)) return;
  console.error("panic", error);
  state.criticalError = true;
}

addEventListener("error", (event) => note(event.error));

function guarded(call) {
  start();
  try {
    const result = call();
    if (!(result instanceof Promise)) return result;
    return result.catch((error) => {
      note(error);
      throw error;
    });
  } catch (error) {
    note(error);
    throw error;
  }
}

class Mailroom extends WorkerEntrypoint {}
export default Mailroom;

function handle(name, handler) {
  Mailroom.prototype[name] = function (event) {
    return guarded(() => handler.call(this, event, this.env, this.ctx));
  };
}

function revived(Class) {
  return new Proxy(Class, {
    construct(_, args, newTarget) {
      start();
      const build = () => Reflect.construct(Class, args, newTarget);
      const held = { object: build(), instanceId: state.instanceId };
      const current = () => {
        start();
        if (held.instanceId !== state.instanceId) {
          held.object = build();
          held.instanceId = state.instanceId;
        }
        return held.object;
      };
      return new Proxy(held.object, {
        get(_target, name) {
          const object = current();
          const value = Reflect.get(object, name, object);
          if (typeof value !== "function") return value;
          return (...args) => guarded(() => value.apply(object, args));
        },
        set: (_target, name, value) => Reflect.set(current(), name, value),
      });
    },
  });
}

