/**
 * The API with the atomicity of claims switched off: who writes last has the address. Only the build that the torture
 * must fail is made with it.
 */
import { apiOver as safeApiOver, type Api } from "../../../cluster/api.ts";
import { isConflict } from "../../../cluster/errors.ts";
import { kinds, metadataOf, type ApiObject, type Kind } from "../../../cluster/kinds.ts";
import type { Transport } from "../../../cluster/transport.ts";

const isClaim = <T extends ApiObject>(kind: Kind<T>): boolean => kind.plural === kinds.claims.plural;

/** Takes the place of the product's own function of this name. */
export function apiOver(transport: Transport): Api {
  const api = safeApiOver(transport);
  return {
    ...api,
    create: async (kind, object) => {
      try {
        return await api.create(kind, object);
      } catch (error) {
        if (!isClaim(kind) || !isConflict(error)) throw error;
        await api.remove(kind, { name: metadataOf(object).name }, {});
        return api.create(kind, object);
      }
    },
    remove: (kind, key, precondition) => api.remove(kind, key, isClaim(kind) ? {} : precondition),
  };
}
