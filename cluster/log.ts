/** The one logger: JSON lines on standard output. */
import { pino } from "pino";

/**
 * Constant message, data as fields, the error under `err`. Its level is not Pepr's LOG_LEVEL: at "info", Pepr writes six
 * lines for each answer of a webhook.
 */
export const log = pino({ name: "berth", level: process.env["BERTH_LOG_LEVEL"] ?? "info" });
