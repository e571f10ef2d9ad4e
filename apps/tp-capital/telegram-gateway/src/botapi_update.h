/* One update of the Bot API, read into a message. Thread rule: pure. */
#ifndef GATEWAY_BOTAPI_UPDATE_H
#define GATEWAY_BOTAPI_UPDATE_H

#include "message.h"

/*
 * 0 with a message whose texts are borrowed from the update (photos from the arena). TS_E_NOT_FOUND: nothing that is published (another kind of update, a
 * service message); TS_E_INVALID: no update as Telegram makes them; -ENOMEM.
 */
TS_MUST_CHECK int botapi_update_read(const json_t *update, struct ts_arena *arena, struct message *ret);

#endif
