/** What the annotations of a pool steer, beside its spec. */
import { keys } from "../keys.ts";

/** How the pool's addresses are handled, as its annotations say. */
export type Steering = {
  /** How long a released address rests before another Service gets it, in milliseconds. */
  readonly coolDownMillis: number;
  /** Whether Services of different namespaces may share an address of the pool. */
  readonly sharesAcrossNamespaces: boolean;
  /** Whether the pool may be changed although that takes addresses from Services. */
  readonly allowsRenumbering: boolean;
};

/** Why the value of an annotation is not taken, with what it is to be. */
export type SteeringRefusal = {
  readonly kind: "badSteering";
  readonly pool: string;
  readonly annotation: string;
  readonly value: string;
  readonly wants: "duration" | "flag";
};

/** The longest cool-down: a week, well below the 24 days that a timer of the runtime can wait. */
const MAX_COOL_DOWN_MILLIS = 7 * 24 * 3_600_000;

const UNIT_MILLIS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  "\u00b5s": 1e-3,
  "\u03bcs": 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};

/**
 * The milliseconds of a duration as Go writes it (`time.ParseDuration`): numbers with units, such as "1h30m" or "1.5s".
 * Rounded up to a whole millisecond; undefined where it is none or negative.
 */
export function parseDurationMillis(text: string): number | undefined {
  if (text === "0") return 0;
  if (!/^\+?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|\u00b5s|\u03bcs|ms|s|m|h))+$/.test(text)) return undefined;
  const parts = [...text.matchAll(/([\d.]+)([^\d.+]+)/g)];
  const millis = parts.reduce((sum, [, count = "", unit = ""]) => sum + Number(count) * (UNIT_MILLIS[unit] ?? 0), 0);
  return Math.ceil(Number(millis.toFixed(6)));
}

type Annotations = Readonly<Record<string, string>>;

/** What the annotations say; a value that can't be read counts as not there. */
export const readSteering = (annotations: Annotations): Steering => ({
  coolDownMillis: coolDownMillis(annotations[keys.poolCoolDown]) ?? 0,
  sharesAcrossNamespaces: annotations[keys.poolCrossNamespaceSharing] === "true",
  allowsRenumbering: annotations[keys.poolAllowRenumbering] === "true",
});

/** The first annotation whose value can't be read, if any; `pool` is namespace/name. */
export function checkSteering(pool: string, annotations: Annotations): SteeringRefusal | undefined {
  const rules = [
    { annotation: keys.poolCoolDown, wants: "duration", reads: (text: string) => coolDownMillis(text) !== undefined },
    { annotation: keys.poolCrossNamespaceSharing, wants: "flag", reads: isFlag },
    { annotation: keys.poolAllowRenumbering, wants: "flag", reads: isFlag },
  ] as const;
  for (const { annotation, wants, reads } of rules) {
    const value = annotations[annotation];
    if (value !== undefined && !reads(value)) return { kind: "badSteering", pool, annotation, value, wants };
  }
  return undefined;
}

const isFlag = (text: string): boolean => text === "true" || text === "false";

function coolDownMillis(text: string | undefined): number | undefined {
  const millis = text === undefined ? 0 : parseDurationMillis(text);
  return millis !== undefined && millis <= MAX_COOL_DOWN_MILLIS ? millis : undefined;
}
