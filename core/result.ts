/** Values that say whether something went well; core never throws. Imports nothing. */

/** Either a value or the reason why there is none. */
export type Result<T, E> = Ok<T> | Err<E>;

/** The good case of a Result. */
export type Ok<T> = { readonly ok: true; readonly value: T };

/** The other case of a Result: `error` is a value tagged by `kind`, never a text. */
export type Err<E> = { readonly ok: false; readonly error: E };

/** A Result that holds `value`. */
export const ok = <T>(value: T): Ok<T> => ({ ok: true, value });

/** A Result that holds the reason `error`. */
export const err = <E>(error: E): Err<E> => ({ ok: false, error });
