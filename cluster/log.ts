/** The one logger: JSON lines on standard output. */
import { pino } from "pino";

/** Constant message, data as fields, the error under `err`. */
export const log = pino({ name: "berth", level: process.env["LOG_LEVEL"] ?? "info" });
