/** What can be set when Berth is installed by Helm: the values, what they may be, and where in the objects they stand. */
import { pick, pickList, pickText } from "../lab/json.ts";
import { nameOf, type Json, type JsonObject } from "./object.ts";

type Path = readonly (string | number)[];

/** One or more values that together stand in places of the objects. */
export type Setting = {
  /** The values, by their path in values.yaml. */
  readonly keys: readonly {
    readonly path: string;
    readonly default: Json;
    readonly schema: JsonObject;
    readonly about: string;
  }[];
  /** Where they stand in an object; several are joined by a colon. */
  readonly places: (object: JsonObject) => readonly Path[];
  /** Of several keys, those that stand there. */
  readonly value: readonly string[];
  /** Whether it is a map or a list, left out where it is empty. */
  readonly isBlock: boolean;
  readonly isNumber?: boolean;
};

const POD: Path = ["spec", "template", "spec"];
const CONTAINER: Path = [...POD, "containers", 0];

const TEXT = { type: "string", minLength: 1 };
const QUANTITIES = { type: "object", additionalProperties: { type: ["string", "number"] } };
const RESOURCES = {
  type: "object",
  additionalProperties: false,
  properties: { requests: QUANTITIES, limits: QUANTITIES },
};
const LABELS = { type: "object", additionalProperties: { type: "string" } };
const OBJECTS = { type: "array", items: { type: "object" } };
const COUNT = { type: "integer", minimum: 1, maximum: 9 };

/** The settings, with defaults as the objects have them. */
export function settingsOf(objects: readonly JsonObject[]): readonly Setting[] {
  const of = (name: string): JsonObject => {
    const found = objects.find((object) => nameOf(object) === name);
    if (found === undefined) throw new Error(`there is no ${name} to make values of`);
    return found;
  };
  const admission = of("Deployment pepr-system/pepr-berth");
  const watcher = of("Deployment pepr-system/pepr-berth-watcher");
  const announcer = of("DaemonSet metallb-system/announcer");
  const both = [admission, watcher];
  const all = [...both, announcer];
  return [
    ...image("operator", both),
    ...image("announcer", [announcer]),
    block("imagePullSecrets", "Secrets to pull the images with, such as [{name: registry}].", OBJECTS, {
      at: [...POD, "imagePullSecrets"],
      of: all,
    }),
    number("admission.replicas", "How many pods answer the webhooks.", admission),
    number("watcher.replicas", "How many watchers run, of which one leads.", watcher),
    ...Object.entries({ admission, watcher, announcer }).flatMap(([name, object]) => pods(name, object)),
    ...environment(both),
  ];
}

const isOneOf =
  (objects: readonly JsonObject[]) =>
  (object: JsonObject): boolean =>
    objects.some((one) => nameOf(one) === nameOf(object));

type Where = { readonly at: Path; readonly of: readonly JsonObject[] };

function block(path: string, about: string, schema: JsonObject, { at, of }: Where): Setting {
  const isHere = isOneOf(of);
  const standing = pick(of[0], ...at) as Json | undefined;
  const empty: Json = schema["type"] === "array" ? [] : {};
  return {
    keys: [{ path, about, schema, default: standing ?? empty }],
    value: [path],
    places: (object) => (isHere(object) ? [at] : []),
    isBlock: true,
  };
}

function number(path: string, about: string, object: JsonObject): Setting {
  const isHere = isOneOf([object]);
  return {
    keys: [{ path, about, schema: COUNT, default: pick(object, "spec", "replicas") as Json }],
    value: [path],
    places: (one) => (isHere(one) ? [["spec", "replicas"]] : []),
    isBlock: false,
    isNumber: true,
  };
}

/** What can be set of each kind of pod. */
const pods = (name: string, object: JsonObject): readonly Setting[] => [
  block(`${name}.resources`, "What a pod asks for, and what it may use at most.", RESOURCES, {
    at: [...CONTAINER, "resources"],
    of: [object],
  }),
  block(`${name}.nodeSelector`, "Labels of the nodes that pods run on.", LABELS, {
    at: [...POD, "nodeSelector"],
    of: [object],
  }),
  block(`${name}.tolerations`, "Taints that pods stand.", OBJECTS, { at: [...POD, "tolerations"], of: [object] }),
];

/** Repository and tag, and when to pull. The operator's environment names the announcer's image too. */
function image(name: string, objects: readonly JsonObject[]): readonly Setting[] {
  const isHere = isOneOf(objects);
  const reference = pickText(objects[0], ...CONTAINER, "image");
  const [, repository = "", tag = ""] = /^(.*):([^:/]+)$/.exec(reference) ?? [];
  return [
    {
      keys: [
        { path: `${name}.image.repository`, about: "Where the image is.", schema: TEXT, default: repository },
        { path: `${name}.image.tag`, about: "Which one it is.", schema: TEXT, default: tag },
      ],
      value: [`${name}.image.repository`, `${name}.image.tag`],
      places: (object) => [
        ...(isHere(object) ? [[...CONTAINER, "image"]] : []),
        ...(name === "announcer" ? envPlaces(object, "BERTH_ANNOUNCER_IMAGE") : []),
      ],
      isBlock: false,
    },
    text(
      `${name}.image.pullPolicy`,
      "When it is pulled.",
      { enum: ["Always", "IfNotPresent", "Never"] },
      {
        default: pickText(objects[0], ...CONTAINER, "imagePullPolicy"),
        places: (object) => (isHere(object) ? [[...CONTAINER, "imagePullPolicy"]] : []),
      },
    ),
  ];
}

type Standing = Pick<Setting, "places"> & { readonly default: Json };

const text = (path: string, about: string, schema: JsonObject, { default: standing, places }: Standing): Setting => ({
  keys: [{ path, about, schema, default: standing }],
  value: [path],
  places,
  isBlock: false,
});

const ENVIRONMENT: readonly (readonly [string, string, JsonObject, string])[] = [
  ["logLevel", "LOG_LEVEL", { enum: ["error", "warn", "info", "debug"] }, "What Pepr writes to the operator's log."],
  [
    "exhaustion",
    "BERTH_EXHAUSTION",
    { enum: ["warn", "deny"] },
    "What happens to a new Service while the pools are full, or there is none.",
  ],
  [
    "loadBalancerClass",
    "BERTH_LOAD_BALANCER_CLASS",
    { type: "string", pattern: "^[a-z0-9][-a-z0-9.]*/[-A-Za-z0-9_.]+$" },
    "The class of Services that are Berth's, beside those without one.",
  ],
  [
    "helloKeyDays",
    "BERTH_HELLO_KEY_DAYS",
    { type: ["string", "number"], pattern: "^[0-9.]+$" },
    "For how many days announcers use one key.",
  ],
];

function environment(both: readonly JsonObject[]): readonly Setting[] {
  return ENVIRONMENT.map(([path, name, schema, about]) => {
    const entry = pickList(both[0], ...CONTAINER, "env").find((one) => pickText(one, "name") === name);
    return text(`settings.${path}`, about, schema, {
      default: pickText(entry, "value"),
      places: (object) => envPlaces(object, name),
    });
  });
}

/** Where the value of an environment variable stands in an object's container. */
function envPlaces(object: JsonObject, name: string): readonly Path[] {
  const index = pickList(object, ...CONTAINER, "env").findIndex((entry) => pickText(entry, "name") === name);
  return index < 0 ? [] : [[...CONTAINER, "env", index, "value"]];
}
