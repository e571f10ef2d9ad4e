// Generated from apps/tp-capital/api/openapi.yaml by `npm run generate`. Do not edit.

export interface paths {
    "/ingest": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Stores one version of one message, and the signal read from it.
         * @description Answered only after the commit is durable. Checks run in this order and the first failure answers: token,
         *     content type, size, JSON (one object, no duplicate key, no NUL, depth at most 16), required fields in the
         *     order channelId, messageId, text, timestamp, then types and limits in the order of the schema.
         *     Unknown fields are ignored; null in an optional field means absent, in a required one missing.
         *
         *     **Idempotency.** A message version is known by (channelId, messageId, revision). The revision is 0 for the
         *     original, `editedAt` in epoch milliseconds for an edit, 2^63-1 for a deletion. A version that is already
         *     stored answers `skipped`. An edit whose content equals the version before it is `skipped` too and
         *     makes no revision. Two different edits with one `editedAt`: the later gets the stored revision + 1.
         *     Every version is kept. The signal always shows the newest version, keeps its `id`, and says `changed: true`;
         *     versions may arrive in any order. A deletion takes the signal out of every list; its versions stay.
         *     With a retention (`SIGNALS_RETENTION_DAYS`) a message that was sent before it is not stored and answers `skipped`, so
         *     that a replay does not bring back what was removed.
         */
        post: operations["ingest"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/signals": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Signals, newest first.
         * @description Ordered by `ts` descending, then `id` descending. Filters are joined by AND and applied before `limit`.
         *     Page with `cursor` (stable while new signals arrive) or `offset`; both together are 400.
         *     The answer depends only on the query and on `seq`; its `ETag` changes when either does.
         */
        get: operations["listSignals"];
        put?: never;
        post?: never;
        /**
         * Takes signals out of every list, by id or by the moment they were stored.
         * @description The row is copied to an archive first, in the same transaction. The message stays known: sent again it is
         *     `skipped`, and a later edit is kept as a version but does not bring the signal back. `id` is the way to go: several
         *     signals may share one `ingestedAt`, and then all of them go. With both fields, `id` decides.
         */
        delete: operations["deleteSignals"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/signals/statistics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How many signals, by channel, by asset and by day.
         * @description Counts the rows that the filters of GET /signals let through. Days are those of the service's time zone (`TZ`). Channels and
         *     assets are sorted by signals descending, then by name; at most 100 of each, `truncated` says when there were more.
         *     Days ascend and have no gaps; without `from` the range begins 29 days before the day of `to`, and without `to` it ends now. A range over
         *     1,100 days is 400 `Invalid parameter: from`.
         */
        get: operations["getStatistics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/signals/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * All rows that match, as one file.
         * @description The filters and the order of GET /signals, without a limit. The rows are read page by page while they are sent: what is stored
         *     meanwhile may or may not be in the file, nothing is in it twice. An export that fails on the way ends without the last chunk,
         *     so that a client sees that it is not whole.
         *
         *     `csv` is for a spreadsheet as it opens in Brazil: UTF-8 with its mark, `;`, CRLF, decimal comma, times of the service's time zone,
         *     a header line in `language`, and an apostrophe before a text that would run as a formula.
         *     `json` is `{"data":[row…]}` with the rows of GET /signals; `jsonl` one row a line.
         */
        get: operations["exportSignals"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/signals/reparse": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Reads stored messages again with the present parser; shows what would differ, or adopts it.
         * @description Goes over the stored signals by ascending `id`, at most `limit` rows a call (fewer when the answer
         *     would exceed 8 MiB), from `cursor` on. Without `adopt` it is a dry run and changes nothing. With it, the rows that differ are replaced in one transaction, counters follow, and streams send `reset`
         *     (one `seq` for all). Messages, versions and keys are never touched. Repeat with `nextCursor` until it is null.
         */
        post: operations["reparseSignals"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/signals/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One signal, the message it came from, every version of it, and how it was read. */
        get: operations["getSignal"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/signals/stream": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Every change of a signal as it is committed (server-sent events).
         * @description `seq` grows in commit order. Each event carries it in its `id`, a position `<store>-<seq>`, so a reader that comes
         *     back misses nothing. `<store>` names the database: a number means nothing in another one.
         *
         *     | event | data |
         *     |---|---|
         *     | `signal.created` | the row (Signal), as JSON on one line |
         *     | `signal.updated` | the row after an edit; same `id`, higher `seq` and `revision` |
         *     | `signal.deleted` | the last row before it went, with the deletion's `seq` |
         *     | `reset` | `{"seq": n}`: what the reader holds can't be brought up to date by events; read `/signals` again and go on from here |
         *
         *     Start: with `Last-Event-ID`, else `since`, everything after that position is sent first, in order; with
         *     neither, only what is committed from now on. A position that is too old to replay (more than 1,000 changes),
         *     higher than any known or of another database answers with one `reset`; so does one from before a change of many rows at
         *     once (import, reparse, retention), which all open streams get as `reset`, as they do when the database is
         *     replaced or restored under the service. The header wins, because the browser's own reconnect sends
         *     it. A comment line (`:`) is sent at once, and after each 15 s of silence. A reader that does not
         *     drain 256 KiB is disconnected and comes back by its position. At shutdown the stream is ended.
         */
        get: operations["streamSignals"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/parse": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Dry run: reads a text as /ingest would, stores nothing, and explains the reading. */
        post: operations["parseText"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/telegram/channels": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Registered channels that were not deleted, newest update first. */
        get: operations["listRegisteredChannels"];
        put?: never;
        /** Registers a channel. */
        post: operations["createChannel"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/telegram/channels/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Changes what the body names. */
        put: operations["updateChannel"];
        post?: never;
        /** Sets its status to deleted; its history stays, and it may be registered anew. */
        delete: operations["deleteChannel"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/telegram/bots": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Registered bots that were not deleted, newest update first. */
        get: operations["listBots"];
        put?: never;
        /** Registers a bot. */
        post: operations["createBot"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/telegram/bots/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Changes what the body names. */
        put: operations["updateBot"];
        post?: never;
        /** Sets its status to deleted; its history stays, and it may be registered anew. */
        delete: operations["deleteBot"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/telegram-channels": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * As GET /telegram/channels, the form of the system before.
         * @deprecated
         */
        get: operations["listChannelsLegacy"];
        put?: never;
        /**
         * As POST /telegram/channels, the form of the system before.
         * @deprecated
         */
        post: operations["createChannelLegacy"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/telegram-channels/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * As PUT /telegram/channels/{id}, the form of the system before.
         * @deprecated
         */
        put: operations["updateChannelLegacy"];
        post?: never;
        /**
         * As DELETE /telegram/channels/{id}, the form of the system before.
         * @deprecated
         */
        delete: operations["deleteChannelLegacy"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/channels": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Every channel that has a message, with its signals (BUY and SELL), most signals first. */
        get: operations["listChannels"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/config/channels": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Channels registered as active, for the gateway. */
        get: operations["listConfiguredChannels"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/bots": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether a bot is registered. */
        get: operations["getBots"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/forwarded-messages": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Messages that were forwarded to another channel, newest first. */
        get: operations["listForwardedMessages"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/logs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The newest log lines of this process, newest first; without secrets, and with at most 100 characters of a message. */
        get: operations["listLogs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A sign of life for a person with a browser. */
        get: operations["getRoot"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether messages can be stored now. Cached for 2 s, so asking costs nothing. */
        get: operations["getHealth"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health/live": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether the process runs. Touches nothing else. */
        get: operations["getLive"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Prometheus text format 0.0.4. */
        get: operations["getMetrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** This file as JSON. */
        get: operations["getOpenapiJson"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/openapi.yaml": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** This file as it is. */
        get: operations["getOpenapiYaml"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /**
         * Format: date-time
         * @description RFC 3339, UTC.
         * @example 2026-11-23T13:00:00.123Z
         */
        Timestamp: string;
        /**
         * @description Epoch milliseconds (digits), RFC 3339 with zone and 0 to 6 fraction digits, or YYYY-MM-DD (midnight UTC); from the year 1 to 9999.
         * @example 1795438800000
         * @example 2026-11-23T13:00:00-03:00
         * @example 2026-11-23
         */
        Instant: string;
        /** @description A number; a string of digits when it lies outside ±2^53. */
        BigId: number | string;
        /** @description Exact decimal with at most 6 places, or null when the message names none. */
        Price: number | null;
        /** @enum {string} */
        SignalType: "BUY" | "SELL" | "UNKNOWN";
        /**
         * @description Null only for UNKNOWN.
         * @enum {string|null}
         */
        TradeType: "Swing Trade" | "Day Trade" | "Scalping" | "Position" | null;
        /**
         * @description Which way the message came. replay: invented messages of the demonstration.
         * @enum {string}
         */
        Source: "telegram" | "bot" | "user_client" | "sync" | "recovery" | "forwarder" | "replay";
        Error: {
            /** @description Exact text, in English, for programs and logs. */
            error: string;
            /** @description Stable name of the error, snake_case. */
            code?: string;
            /** @description The field or parameter at fault. */
            field?: string;
            /** @description The request id in our log. */
            requestId?: string;
            /** @description On 404 of an unknown path: which route was asked for. */
            message?: string;
        };
        /** @description `text` is required too, unless `deleted` is true. */
        IngestRequest: {
            channelId: components["schemas"]["ChannelIdIn"];
            messageId: components["schemas"]["MessageIdIn"];
            /** @description At most 16,384 bytes of UTF-8, no NUL. May be empty: then the caption is read. */
            text?: string | null;
            /**
             * Format: date-time
             * @description When the message was first sent: RFC 3339 with zone, 0 to 6 fraction digits, between 2013-01-01 and now + 5 min.
             */
            timestamp: string;
            photos?: (string | {
                /** @description At most 512 bytes. */
                fileId?: string | null;
                /** Format: int64 */
                width?: number | null;
                /** Format: int64 */
                height?: number | null;
                /** Format: int64 */
                fileSize?: number | null;
            })[] | null;
            /** @description At most 200 bytes. */
            channelName?: string | null;
            source?: components["schemas"]["Source"] | null;
            /** @description At most 16,384 bytes. */
            caption?: string | null;
            /** @description At most 20 bytes. */
            mediaType?: string | null;
            /**
             * Format: date-time
             * @description When the gateway had it.
             */
            receivedAt?: string | null;
            forwarded?: {
                originalChannelId: components["schemas"]["ChannelIdIn"];
                originalMessageId: components["schemas"]["MessageIdIn"];
                destinationChannelId: components["schemas"]["ChannelIdIn"];
                /** @enum {string} */
                method: "forward" | "copy";
            } | null;
            /**
             * Format: date-time
             * @description When this version was written, for an edit. Same rule as timestamp, and not before it.
             */
            editedAt?: string | null;
            /**
             * @description The message was taken back.
             * @default false
             */
            deleted: boolean | null;
        } | {
            text: string;
        } | {
            /** @constant */
            deleted: true;
        };
        /** @description Telegram's channel id in its -100… form. Must fit int64 and not be 0. */
        ChannelIdIn: string | number;
        /** @description Telegram's server id, 1 to 2^63-1. */
        MessageIdIn: number | string;
        IngestAnswer: {
            /** @constant */
            status: "ok";
            /**
             * @description This version was already stored, or the message is older than the retention.
             * @constant
             */
            skipped?: true;
        };
        /** @description What the parser reads from one text; always all fields. */
        ParsedSignal: {
            /** @description Ticker in capitals. */
            asset: string | null;
            signal_type: components["schemas"]["SignalType"];
            trade_type: components["schemas"]["TradeType"];
            /** @description Equals buy_min. */
            price: components["schemas"]["Price"];
            /** @description Lower end of the entry, for SELL as well. */
            buy_min: components["schemas"]["Price"];
            /** @description Upper end; equals buy_min for a single price. */
            buy_max: components["schemas"]["Price"];
            stop_loss: components["schemas"]["Price"];
            /** @description Numbered targets ascending by number, then the final one. Never an empty list. */
            take_profit: number[] | null;
            target_1: components["schemas"]["Price"];
            target_2: components["schemas"]["Price"];
            /** @description The final target if written, else the highest-numbered. */
            target_final: components["schemas"]["Price"];
            /** @description Has an entry, or a target and a stop. */
            complete: boolean;
        };
        /** @description A row of /signals. */
        Signal: components["schemas"]["ParsedSignal"] & {
            id: components["schemas"]["BigId"];
            /**
             * Format: int64
             * @description Number of the row's last change in commit order.
             */
            seq: number;
            /** @description Version shown: 0 is the original, else the edit's epoch milliseconds. */
            revision: components["schemas"]["BigId"];
            /** @description The message was edited since it was first seen. */
            changed: boolean;
            /** @description When the message was sent. */
            ts: components["schemas"]["Timestamp"];
            /** @description Name that came with the message, else the label it is registered under, else Desconhecido. */
            channel: string;
            /** @description Null for rows of an older system, which have none. */
            channel_id: string | null;
            /** @description Null for rows of an older system, which have none. */
            message_id: components["schemas"]["BigId"] | null;
            /** @description Same value as stop_loss. */
            stop: components["schemas"]["Price"];
            /** @description The text exactly as received (the caption, if the text was empty). */
            raw_message: string;
            source: components["schemas"]["Source"];
            /** @description When the first version of the message was committed; an edit does not move it. */
            ingested_at: components["schemas"]["Timestamp"];
        };
        SignalPage: {
            data: components["schemas"]["Signal"][];
            /** @description Pass as `cursor`; null at the end. A page of more than 8 MiB ends before `limit`, with its cursor. */
            nextCursor: string | null;
            /**
             * Format: int64
             * @description The last change this answer reflects.
             */
            seq: number;
            /** @description The same with the database's name; start the stream here (`since`) and nothing is missed. */
            position: string;
            /** @description Matching rows, with count=true. */
            total?: number;
            /**
             * @description Present when counting stopped at 10,000.
             * @constant
             */
            totalIsMinimum?: true;
        };
        /** @description Where a field was read. */
        Span: {
            /** @description asset, signal_type, trade_type, buy_min, buy_max, stop_loss, target_1 … target_20, target_final, or update_notice (the word that made the message a notice). */
            field: string;
            /** @description First byte in the UTF-8 text. */
            start: number;
            /** @description Byte after the last. */
            end: number;
            /** @description Those bytes, as they stand in the text. */
            text: string;
        };
        Explanation: {
            /**
             * @description Why the message is UNKNOWN, first reason in the order update_notice, no_asset, no_direction, no_value (no entry, stop or target); null for a signal.
             * @enum {string|null}
             */
            rule: "no_asset" | "no_direction" | "no_value" | "update_notice" | null;
            /**
             * @description A word said it, or a comparison of two prices did; null if nothing did.
             * @enum {string|null}
             */
            direction: "word" | "entry_stop" | "target_entry" | "target_stop" | null;
            /** @description Ascending by start. */
            spans: components["schemas"]["Span"][];
        };
        ParseAnswer: {
            signal: components["schemas"]["ParsedSignal"];
            explanation: components["schemas"]["Explanation"];
        };
        MessageVersion: {
            revision: components["schemas"]["BigId"];
            /** @description Null for a deletion. */
            text: string | null;
            ts: components["schemas"]["Timestamp"];
            edited_at: components["schemas"]["Timestamp"] | null;
            deleted: boolean;
            ingested_at: components["schemas"]["Timestamp"];
        };
        SignalDetail: {
            data: components["schemas"]["Signal"];
            message: {
                /** @description What `explanation` refers to; equals raw_message. */
                text: string;
                media_type: string | null;
                /** @description When the gateway had it, if it said so. */
                received_at: components["schemas"]["Timestamp"] | null;
                /** @description Finds the message in the logs of both services. */
                request_id: string | null;
            };
            /** @description Every version, oldest first; none of a row without a message, of an older system. */
            versions: components["schemas"]["MessageVersion"][];
            explanation: components["schemas"]["Explanation"];
        };
        ChannelList: {
            data: {
                channel: string;
                channel_id: string;
                signal_count: number;
                last_signal: components["schemas"]["Timestamp"] | null;
            }[];
            /** @constant */
            source: "timescale";
            timestamp: components["schemas"]["Timestamp"];
        };
        Channel: {
            id: string;
            label: string;
            channel_id: string;
            /** @enum {string} */
            channel_type: "source" | "destination";
            description: string | null;
            /** @enum {string} */
            status: "active" | "inactive";
            /** @description BUY and SELL stored since it was registered. */
            signal_count: number;
            last_signal: components["schemas"]["Timestamp"] | null;
            created_at: components["schemas"]["Timestamp"];
            updated_at: components["schemas"]["Timestamp"];
        };
        ChannelCreate: {
            /** @description 1 to 200 characters, not only spaces. */
            label: string;
            /** @description Telegram's channel id in its -100… form. Must fit int64 and not be 0. */
            channel_id: string | number;
            /**
             * @default source
             * @enum {string|null}
             */
            channel_type: "source" | "destination" | null;
            description?: string | null;
        };
        /** @description At least one field. */
        ChannelUpdate: {
            label?: string;
            channel_id?: string | number;
            /** @enum {string} */
            channel_type?: "source" | "destination";
            description?: string | null;
            /** @enum {string} */
            status?: "active" | "inactive";
            signal_count?: number;
            last_signal?: components["schemas"]["Timestamp"] | null;
        };
        Bot: {
            id: string;
            username: string;
            bot_type: string;
            description: string | null;
            /** @enum {string} */
            status: "active" | "inactive";
            /** @constant */
            has_token: true;
            /** @description First 12 hexadecimal digits of the token's SHA-256; the token itself is kept nowhere. */
            token_fingerprint: string;
            created_at: components["schemas"]["Timestamp"];
            updated_at: components["schemas"]["Timestamp"];
        };
        BotCreate: {
            /** @description 1 to 100 characters; a leading @ is taken off. */
            username: string;
            /** @description As BotFather gives it. Only its fingerprint is kept. */
            token: string;
            /** @default Sender */
            bot_type: string | null;
            description?: string | null;
            /**
             * @default active
             * @enum {string|null}
             */
            status: "active" | "inactive" | null;
        };
        /** @description At least one field. */
        BotUpdate: {
            username?: string;
            token?: string;
            bot_type?: string;
            description?: string | null;
            /** @enum {string} */
            status?: "active" | "inactive";
        };
        ForwardedMessage: {
            id: components["schemas"]["BigId"];
            ts: components["schemas"]["Timestamp"];
            source_channel_id: string;
            source_channel_name: string | null;
            message_id: components["schemas"]["BigId"];
            message_text: string | null;
            image_url: string | null;
            image_width: number | null;
            image_height: number | null;
            forwarded_at: components["schemas"]["Timestamp"];
            destination_channel_id: string;
            /** @enum {string} */
            forward_method: "forward" | "copy";
        };
        Counts: {
            /** @description All rows. */
            messages: number;
            /** @description BUY and SELL. */
            signals: number;
            buy: number;
            sell: number;
            complete: number;
        };
        Statistics: {
            from: components["schemas"]["Timestamp"];
            to: components["schemas"]["Timestamp"];
            /**
             * @description Whose days these are.
             * @example America/Sao_Paulo
             */
            timezone: string;
            /**
             * Format: int64
             * @description The last change these counts reflect.
             */
            seq: number;
            total: components["schemas"]["Counts"];
            channels: (components["schemas"]["Counts"] & {
                channel: string;
                /** @description Null for rows of an older system, which have none. */
                channel_id: string | null;
                last_ts: components["schemas"]["Timestamp"];
            })[];
            assets: (components["schemas"]["Counts"] & {
                asset: string;
                last_ts: components["schemas"]["Timestamp"];
            })[];
            days: (components["schemas"]["Counts"] & {
                /** Format: date */
                day: string;
            })[];
            /** @description There were more than 100 channels or assets. */
            truncated: boolean;
        };
        ReparseAnswer: {
            /** @constant */
            status: "ok";
            /** @description The changes below are stored. */
            adopted: boolean;
            /** @description Rows looked at in this call. */
            scanned: number;
            /** @description Rows that differ. */
            changed: number;
            /** @description The rows that differ, by ascending id. */
            data: {
                id: components["schemas"]["BigId"];
                ts: components["schemas"]["Timestamp"];
                channel: string;
                channel_id: string | null;
                message_id: components["schemas"]["BigId"] | null;
                raw_message: string;
                /** @description Names of the fields that differ. */
                fields: string[];
                before: components["schemas"]["ParsedSignal"];
                after: components["schemas"]["ParsedSignal"];
            }[];
            /** @description Pass as `cursor`; null at the end. */
            nextCursor: string | null;
        };
        Health: {
            /** @enum {string} */
            status: "ok" | "degraded" | "error";
            /** @description The store answers, whichever it is. */
            timescale: boolean;
            uptime_seconds?: number;
            error?: string;
            /** @enum {string} */
            store?: "sqlite" | "postgres";
            version?: string;
        };
    };
    responses: {
        /** @description Done. */
        Done: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "status": "ok"
                 *     }
                 */
                "application/json": {
                    /** @constant */
                    status: "ok";
                };
            };
        };
        /** @description Done. */
        Success: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "success": true
                 *     }
                 */
                "application/json": {
                    /** @constant */
                    success: true;
                };
            };
        };
        /** @description There is none, or it was deleted. */
        ChannelNotFound: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "error": "Channel not found"
                 *     }
                 */
                "application/json": components["schemas"]["Error"];
            };
        };
        /** @description Not usable; the text names the field. */
        InvalidBody: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "error": "Invalid field: label",
                 *       "field": "label"
                 *     }
                 */
                "application/json": components["schemas"]["Error"];
            };
        };
        /** @description ADMIN_TOKEN is set, and the request does not carry it. */
        Unauthorized: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "error": "Unauthorized"
                 *     }
                 */
                "application/json": components["schemas"]["Error"];
            };
        };
        /** @description A parameter is out of its rule. */
        InvalidParameter: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "error": "Invalid parameter: limit",
                 *       "field": "limit"
                 *     }
                 */
                "application/json": components["schemas"]["Error"];
            };
        };
        /** @description A browser of another site sent this. */
        OriginNotAllowed: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "error": "Origin not allowed"
                 *     }
                 */
                "application/json": components["schemas"]["Error"];
            };
        };
        /** @description Wrong method; `Allow` names the right ones. */
        MethodNotAllowed: {
            headers: {
                /** @description Methods of this path. */
                Allow?: string;
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "error": "Method not allowed"
                 *     }
                 */
                "application/json": components["schemas"]["Error"];
            };
        };
        /** @description The body is over 1 MiB. */
        PayloadTooLarge: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "error": "Payload too large"
                 *     }
                 */
                "application/json": components["schemas"]["Error"];
            };
        };
        /** @description The content type is not application/json. */
        UnsupportedMediaType: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "error": "Content-Type must be application/json"
                 *     }
                 */
                "application/json": components["schemas"]["Error"];
            };
        };
        /** @description The Host is none of ours. */
        Misdirected: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "error": "Misdirected request"
                 *     }
                 */
                "application/json": components["schemas"]["Error"];
            };
        };
        /** @description Over the limit of this address. */
        TooManyRequests: {
            headers: {
                "Retry-After": components["headers"]["RetryAfter"];
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "error": "Too many requests"
                 *     }
                 */
                "application/json": components["schemas"]["Error"];
            };
        };
        /** @description The database does not answer. */
        DatabaseDown: {
            headers: {
                "Retry-After": components["headers"]["RetryAfter"];
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "error": "Database unavailable, please retry"
                 *     }
                 */
                "application/json": components["schemas"]["Error"];
            };
        };
        /** @description A defect of ours; the log has the line with the same request id. */
        Defect: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "error": "Internal server error"
                 *     }
                 */
                "application/json": components["schemas"]["Error"];
            };
        };
    };
    parameters: {
        /** @description The `id` that the registration answered. */
        RegistryId: string;
        /** @description Digits with an optional minus are a channel_id; anything else is the exact channel name. */
        Channel: string;
        /** @description BUY, SELL or UNKNOWN in any case is a signal_type; any other value is compared with trade_type, case ignored. */
        Type: string;
        /** @description Exact ticker, case ignored. */
        Asset: string;
        /** @description Substring of asset or raw_message, 1 to 100 bytes of UTF-8. Case, accents and the Markdown signs of the message are looked through: `pregão` finds `**PREGAO**`. `%` and `_` are literal. Markdown signs, emoji and letters of other alphabets that are asked for must be there as they are. */
        Search: string;
        /** @description First `ts`, inclusive. See Instant. */
        From: components["schemas"]["Instant"];
        /** @description Last `ts`, inclusive; a bare date covers that whole day (UTC). See Instant. */
        To: components["schemas"]["Instant"];
        /** @description Only complete, or only incomplete signals. Absent is both. */
        Complete: boolean;
        /** @description 1 to 64 of `[A-Za-z0-9._-]`: echoed, and stored with the message. Any other is replaced by a new one. */
        RequestId: string;
        /** @description W3C trace context; stored with the message. One that cannot be read begins a new trace. */
        Traceparent: string;
    };
    requestBodies: never;
    headers: {
        /** @description Seconds to wait. */
        RetryAfter: number;
    };
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    ingest: {
        parameters: {
            query?: never;
            header?: {
                /** @description 1 to 64 of `[A-Za-z0-9._-]`: echoed, and stored with the message. Any other is replaced by a new one. */
                "X-Request-Id"?: components["parameters"]["RequestId"];
                /** @description W3C trace context; stored with the message. One that cannot be read begins a new trace. */
                traceparent?: components["parameters"]["Traceparent"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["IngestRequest"];
            };
        };
        responses: {
            /** @description Durable, or already known or older than the retention (`skipped`). */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IngestAnswer"];
                };
            };
            /** @description Not usable as it stands; sending it again will not help. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Token absent or wrong. The body is not parsed. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            403: components["responses"]["OriginNotAllowed"];
            405: components["responses"]["MethodNotAllowed"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            500: components["responses"]["Defect"];
            /** @description The database gave up, or the writer's queue is full. Send it again. */
            503: {
                headers: {
                    "Retry-After": components["headers"]["RetryAfter"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "error": "Database unavailable, please retry"
                     *     }
                     */
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    listSignals: {
        parameters: {
            query?: {
                /** @description Rows in one answer. */
                limit?: number;
                /** @description Rows to skip. */
                offset?: number;
                /** @description The `nextCursor` of the answer before. Opaque. Use it with the same filters. */
                cursor?: string;
                /** @description Digits with an optional minus are a channel_id; anything else is the exact channel name. */
                channel?: components["parameters"]["Channel"];
                /** @description BUY, SELL or UNKNOWN in any case is a signal_type; any other value is compared with trade_type, case ignored. */
                type?: components["parameters"]["Type"];
                /** @description Exact ticker, case ignored. */
                asset?: components["parameters"]["Asset"];
                /** @description Substring of asset or raw_message, 1 to 100 bytes of UTF-8. Case, accents and the Markdown signs of the message are looked through: `pregão` finds `**PREGAO**`. `%` and `_` are literal. Markdown signs, emoji and letters of other alphabets that are asked for must be there as they are. */
                search?: components["parameters"]["Search"];
                /** @description First `ts`, inclusive. See Instant. */
                from?: components["parameters"]["From"];
                /** @description Last `ts`, inclusive; a bare date covers that whole day (UTC). See Instant. */
                to?: components["parameters"]["To"];
                /** @description Only complete, or only incomplete signals. Absent is both. */
                complete?: components["parameters"]["Complete"];
                /** @description Adds `total`, counted up to 10,000. */
                count?: boolean;
            };
            header?: {
                /** @description An ETag seen before. */
                "If-None-Match"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page. No match is an empty list, never sample rows. */
            200: {
                headers: {
                    /** @description Strong validator of this answer. */
                    ETag?: string;
                    /** @description Always no-cache. */
                    "Cache-Control"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignalPage"];
                };
            };
            /** @description Nothing changed since that ETag. */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A parameter is out of its rule. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            405: components["responses"]["MethodNotAllowed"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            /** @description The database does not answer. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "error": "Failed to fetch signals"
                     *     }
                     */
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    deleteSignals: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    id?: number | string | null;
                    /**
                     * Format: date-time
                     * @description RFC 3339, as `ingested_at` of the row.
                     */
                    ingestedAt?: string | null;
                } | {
                    id: unknown;
                } | {
                    ingestedAt: string;
                };
            };
        };
        responses: {
            /** @description Done; 0 when there was none. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "status": "ok",
                     *       "deleted": 1
                     *     }
                     */
                    "application/json": {
                        /** @constant */
                        status: "ok";
                        deleted: number;
                    };
                };
            };
            /** @description Not usable. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["OriginNotAllowed"];
            405: components["responses"]["MethodNotAllowed"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["DatabaseDown"];
        };
    };
    getStatistics: {
        parameters: {
            query?: {
                /** @description Digits with an optional minus are a channel_id; anything else is the exact channel name. */
                channel?: components["parameters"]["Channel"];
                /** @description BUY, SELL or UNKNOWN in any case is a signal_type; any other value is compared with trade_type, case ignored. */
                type?: components["parameters"]["Type"];
                /** @description Exact ticker, case ignored. */
                asset?: components["parameters"]["Asset"];
                /** @description Substring of asset or raw_message, 1 to 100 bytes of UTF-8. Case, accents and the Markdown signs of the message are looked through: `pregão` finds `**PREGAO**`. `%` and `_` are literal. Markdown signs, emoji and letters of other alphabets that are asked for must be there as they are. */
                search?: components["parameters"]["Search"];
                /** @description First `ts`, inclusive. See Instant. */
                from?: components["parameters"]["From"];
                /** @description Last `ts`, inclusive; a bare date covers that whole day (UTC). See Instant. */
                to?: components["parameters"]["To"];
                /** @description Only complete, or only incomplete signals. Absent is both. */
                complete?: components["parameters"]["Complete"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The counts. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Statistics"];
                };
            };
            400: components["responses"]["InvalidParameter"];
            405: components["responses"]["MethodNotAllowed"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["DatabaseDown"];
        };
    };
    exportSignals: {
        parameters: {
            query?: {
                /** @description The kind of file. */
                format?: "csv" | "json" | "jsonl";
                /** @description Of the header line and of yes and no, for csv. */
                language?: "pt-BR" | "en";
                /** @description Digits with an optional minus are a channel_id; anything else is the exact channel name. */
                channel?: components["parameters"]["Channel"];
                /** @description BUY, SELL or UNKNOWN in any case is a signal_type; any other value is compared with trade_type, case ignored. */
                type?: components["parameters"]["Type"];
                /** @description Exact ticker, case ignored. */
                asset?: components["parameters"]["Asset"];
                /** @description Substring of asset or raw_message, 1 to 100 bytes of UTF-8. Case, accents and the Markdown signs of the message are looked through: `pregão` finds `**PREGAO**`. `%` and `_` are literal. Markdown signs, emoji and letters of other alphabets that are asked for must be there as they are. */
                search?: components["parameters"]["Search"];
                /** @description First `ts`, inclusive. See Instant. */
                from?: components["parameters"]["From"];
                /** @description Last `ts`, inclusive; a bare date covers that whole day (UTC). See Instant. */
                to?: components["parameters"]["To"];
                /** @description Only complete, or only incomplete signals. Absent is both. */
                complete?: components["parameters"]["Complete"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The file. */
            200: {
                headers: {
                    /** @description `attachment` with a name: tp-capital-signals.csv, .json or .jsonl. */
                    "Content-Disposition"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "text/csv": string;
                    "application/json": {
                        data: components["schemas"]["Signal"][];
                    };
                    "application/x-ndjson": string;
                };
            };
            400: components["responses"]["InvalidParameter"];
            405: components["responses"]["MethodNotAllowed"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            /** @description The database does not answer, or too many exports run. */
            503: {
                headers: {
                    "Retry-After": components["headers"]["RetryAfter"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "error": "Failed to fetch signals"
                     *     }
                     */
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    reparseSignals: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @default false */
                    adopt?: boolean | null;
                    /**
                     * @description Rows to look at.
                     * @default 500
                     */
                    limit?: number | null;
                    /** @description `nextCursor` of the answer before. */
                    cursor?: string | null;
                    /** @description Only this channel. */
                    channelId?: string | null;
                    from?: components["schemas"]["Instant"] | null;
                    to?: components["schemas"]["Instant"] | null;
                };
            };
        };
        responses: {
            /** @description What was looked at. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReparseAnswer"];
                };
            };
            /** @description Not usable. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["OriginNotAllowed"];
            405: components["responses"]["MethodNotAllowed"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["DatabaseDown"];
        };
    };
    getSignal: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The row's `id`. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Found. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignalDetail"];
                };
            };
            /** @description Not a number, or beyond int64. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "error": "Invalid parameter: id",
                     *       "field": "id"
                     *     }
                     */
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description No such signal, or it was deleted. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "error": "Signal not found"
                     *     }
                     */
                    "application/json": components["schemas"]["Error"];
                };
            };
            405: components["responses"]["MethodNotAllowed"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            /** @description The database does not answer. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "error": "Failed to fetch signals"
                     *     }
                     */
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    streamSignals: {
        parameters: {
            query?: {
                /** @description The same, for a first connection; the `position` of a GET /signals answer. A number alone is taken as ours. */
                since?: string;
            };
            header?: {
                /** @description The last `id` received; empty is none. A number alone is of an unknown database. */
                "Last-Event-ID"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The stream. Cache-Control is no-store, X-Accel-Buffering is no. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example event: signal.created
                     *     id: 9f86d081884c7d65-1841
                     *     data: {"id":977,"seq":1841,"asset":"ITUB4"}
                     */
                    "text/event-stream": {
                        /** @enum {string} */
                        event: "signal.created" | "signal.updated" | "signal.deleted" | "reset";
                        id: string;
                        data: string;
                    };
                };
            };
            /** @description Not a position. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "error": "Invalid parameter: since",
                     *       "field": "since"
                     *     }
                     */
                    "application/json": components["schemas"]["Error"];
                };
            };
            405: components["responses"]["MethodNotAllowed"];
            421: components["responses"]["Misdirected"];
            /** @description Too many streams are open, or the service is stopping. */
            503: {
                headers: {
                    "Retry-After": components["headers"]["RetryAfter"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "error": "Too many streams, please retry"
                     *     }
                     */
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    parseText: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "text": "VENDA BBAS3 @ R$ 27,35\nStop: R$ 28,10"
                 *     }
                 */
                "application/json": {
                    /** @description The message. At most 16,384 bytes of UTF-8, no NUL. */
                    text: string;
                };
            };
        };
        responses: {
            /** @description The reading. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "signal": {
                     *         "asset": "BBAS3",
                     *         "signal_type": "SELL",
                     *         "trade_type": "Swing Trade",
                     *         "price": 27.35,
                     *         "buy_min": 27.35,
                     *         "buy_max": 27.35,
                     *         "stop_loss": 28.1,
                     *         "take_profit": null,
                     *         "target_1": null,
                     *         "target_2": null,
                     *         "target_final": null,
                     *         "complete": true
                     *       },
                     *       "explanation": {
                     *         "rule": null,
                     *         "direction": "word",
                     *         "spans": [
                     *           {
                     *             "field": "signal_type",
                     *             "start": 0,
                     *             "end": 5,
                     *             "text": "VENDA"
                     *           },
                     *           {
                     *             "field": "asset",
                     *             "start": 6,
                     *             "end": 11,
                     *             "text": "BBAS3"
                     *           },
                     *           {
                     *             "field": "buy_min",
                     *             "start": 14,
                     *             "end": 22,
                     *             "text": "R$ 27,35"
                     *           },
                     *           {
                     *             "field": "stop_loss",
                     *             "start": 29,
                     *             "end": 37,
                     *             "text": "R$ 28,10"
                     *           }
                     *         ]
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["ParseAnswer"];
                };
            };
            /** @description Not usable. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            403: components["responses"]["OriginNotAllowed"];
            405: components["responses"]["MethodNotAllowed"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
        };
    };
    listRegisteredChannels: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The list. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["Channel"][];
                        timestamp: components["schemas"]["Timestamp"];
                    };
                };
            };
            405: components["responses"]["MethodNotAllowed"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["DatabaseDown"];
        };
    };
    createChannel: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChannelCreate"];
            };
        };
        responses: {
            /** @description Registered. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "status": "ok",
                     *       "id": "channel-0190c3f1a2b4"
                     *     }
                     */
                    "application/json": {
                        /** @constant */
                        status: "ok";
                        id: string;
                    };
                };
            };
            /** @description Not usable. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["OriginNotAllowed"];
            405: components["responses"]["MethodNotAllowed"];
            /** @description It is registered already. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "error": "Channel already exists"
                     *     }
                     */
                    "application/json": components["schemas"]["Error"];
                };
            };
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["DatabaseDown"];
        };
    };
    updateChannel: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The `id` that the registration answered. */
                id: components["parameters"]["RegistryId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChannelUpdate"];
            };
        };
        responses: {
            200: components["responses"]["Done"];
            /** @description Not usable. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["OriginNotAllowed"];
            /** @description There is none, or it was deleted. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "error": "Channel not found"
                     *     }
                     */
                    "application/json": components["schemas"]["Error"];
                };
            };
            405: components["responses"]["MethodNotAllowed"];
            /** @description Another one has that already. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "error": "Channel already exists"
                     *     }
                     */
                    "application/json": components["schemas"]["Error"];
                };
            };
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["DatabaseDown"];
        };
    };
    deleteChannel: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The `id` that the registration answered. */
                id: components["parameters"]["RegistryId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: components["responses"]["Done"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["OriginNotAllowed"];
            /** @description There is none, or it was deleted. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "error": "Channel not found"
                     *     }
                     */
                    "application/json": components["schemas"]["Error"];
                };
            };
            405: components["responses"]["MethodNotAllowed"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["DatabaseDown"];
        };
    };
    listBots: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The list. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["Bot"][];
                        timestamp: components["schemas"]["Timestamp"];
                    };
                };
            };
            405: components["responses"]["MethodNotAllowed"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["DatabaseDown"];
        };
    };
    createBot: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BotCreate"];
            };
        };
        responses: {
            /** @description Registered. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "status": "ok",
                     *       "id": "bot-0190c3f1a2b4"
                     *     }
                     */
                    "application/json": {
                        /** @constant */
                        status: "ok";
                        id: string;
                    };
                };
            };
            /** @description Not usable. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["OriginNotAllowed"];
            405: components["responses"]["MethodNotAllowed"];
            /** @description It is registered already. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "error": "Bot already exists"
                     *     }
                     */
                    "application/json": components["schemas"]["Error"];
                };
            };
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["DatabaseDown"];
        };
    };
    updateBot: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The `id` that the registration answered. */
                id: components["parameters"]["RegistryId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BotUpdate"];
            };
        };
        responses: {
            200: components["responses"]["Done"];
            /** @description Not usable. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["OriginNotAllowed"];
            /** @description There is none, or it was deleted. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "error": "Bot not found"
                     *     }
                     */
                    "application/json": components["schemas"]["Error"];
                };
            };
            405: components["responses"]["MethodNotAllowed"];
            /** @description Another one has that already. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "error": "Bot already exists"
                     *     }
                     */
                    "application/json": components["schemas"]["Error"];
                };
            };
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["DatabaseDown"];
        };
    };
    deleteBot: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The `id` that the registration answered. */
                id: components["parameters"]["RegistryId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: components["responses"]["Done"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["OriginNotAllowed"];
            /** @description There is none, or it was deleted. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "error": "Bot not found"
                     *     }
                     */
                    "application/json": components["schemas"]["Error"];
                };
            };
            405: components["responses"]["MethodNotAllowed"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["DatabaseDown"];
        };
    };
    listChannelsLegacy: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The list. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["Channel"][];
                    };
                };
            };
            503: components["responses"]["DatabaseDown"];
        };
    };
    createChannelLegacy: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChannelCreate"];
            };
        };
        responses: {
            /** @description Registered. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        success: true;
                        channel: components["schemas"]["Channel"];
                    };
                };
            };
            400: components["responses"]["InvalidBody"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["OriginNotAllowed"];
            /** @description It is registered already. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "error": "Channel already exists"
                     *     }
                     */
                    "application/json": components["schemas"]["Error"];
                };
            };
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            503: components["responses"]["DatabaseDown"];
        };
    };
    updateChannelLegacy: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The `id` that the registration answered. */
                id: components["parameters"]["RegistryId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChannelUpdate"];
            };
        };
        responses: {
            200: components["responses"]["Success"];
            400: components["responses"]["InvalidBody"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["OriginNotAllowed"];
            404: components["responses"]["ChannelNotFound"];
            /** @description Another one has that already. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "error": "Channel already exists"
                     *     }
                     */
                    "application/json": components["schemas"]["Error"];
                };
            };
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            503: components["responses"]["DatabaseDown"];
        };
    };
    deleteChannelLegacy: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The `id` that the registration answered. */
                id: components["parameters"]["RegistryId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: components["responses"]["Success"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["OriginNotAllowed"];
            404: components["responses"]["ChannelNotFound"];
            503: components["responses"]["DatabaseDown"];
        };
    };
    listChannels: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The list. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChannelList"];
                };
            };
            503: components["responses"]["DatabaseDown"];
        };
    };
    listConfiguredChannels: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The list. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: {
                            channelId: string;
                            /** @enum {string} */
                            type: "source" | "destination";
                        }[];
                        timestamp: components["schemas"]["Timestamp"];
                    };
                };
            };
            503: components["responses"]["DatabaseDown"];
        };
    };
    getBots: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The state. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: {
                            /** @description An active bot is registered. */
                            configured: boolean;
                            /** @constant */
                            mode: "gateway";
                            webhook: null;
                            /** @constant */
                            status: "running";
                            timestamp: components["schemas"]["Timestamp"];
                        };
                    };
                };
            };
            503: components["responses"]["DatabaseDown"];
        };
    };
    listForwardedMessages: {
        parameters: {
            query?: {
                /** @description Rows in one answer. */
                limit?: number;
                /** @description Only this source channel. */
                channelId?: string;
                /** @description First `ts`, inclusive. */
                from?: components["schemas"]["Instant"];
                /** @description Last `ts`, inclusive. */
                to?: components["schemas"]["Instant"];
                /** @description Substring of message_text or source_channel_name, case ignored. 1 to 100 bytes of UTF-8. */
                search?: string;
                /** @description Only messages with an image, or only those without. */
                media?: boolean;
                /** @description Only messages that went this way. */
                method?: "forward" | "copy";
                /** @description The `nextCursor` of the answer before. Opaque. Use it with the same filters. */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The list. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["ForwardedMessage"][];
                        /** @description Pass as `cursor`; null at the end. */
                        nextCursor: string | null;
                    };
                };
            };
            400: components["responses"]["InvalidParameter"];
            503: components["responses"]["DatabaseDown"];
        };
    };
    listLogs: {
        parameters: {
            query?: {
                /** @description Lines in one answer. */
                limit?: number;
                /** @description At least this level. */
                level?: "trace" | "debug" | "info" | "warn" | "error" | "fatal";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The lines. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: {
                            timestamp: components["schemas"]["Timestamp"];
                            level: string;
                            message: string;
                            context: {
                                [key: string]: unknown;
                            };
                        }[];
                    };
                };
            };
            400: components["responses"]["InvalidParameter"];
        };
    };
    getRoot: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Always the same. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "status": "ok",
                     *       "message": "TP Capital ingestion API",
                     *       "endpoints": [
                     *         "/health",
                     *         "/signals",
                     *         "/logs",
                     *         "/metrics"
                     *       ]
                     *     }
                     */
                    "application/json": {
                        /** @constant */
                        status: "ok";
                        message: string;
                        endpoints: string[];
                    };
                };
            };
        };
    };
    getHealth: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The store answers. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "status": "ok",
                     *       "timescale": true,
                     *       "uptime_seconds": 12,
                     *       "store": "sqlite",
                     *       "version": "1.0.0"
                     *     }
                     */
                    "application/json": components["schemas"]["Health"];
                };
            };
            /** @description The store does not answer, or is full, or the service is stopping. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "status": "error",
                     *       "timescale": false,
                     *       "error": "Database connection failed after 3 attempts"
                     *     }
                     */
                    "application/json": components["schemas"]["Health"];
                };
            };
        };
    };
    getLive: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It does. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "status": "ok"
                     *     }
                     */
                    "application/json": {
                        /** @constant */
                        status: "ok";
                    };
                };
            };
        };
    };
    getMetrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Every series with fixed labels exists from the start. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
        };
    };
    getOpenapiJson: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OpenAPI 3.1. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        [key: string]: unknown;
                    };
                };
            };
        };
    };
    getOpenapiYaml: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OpenAPI 3.1. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/yaml": {
                        [key: string]: unknown;
                    };
                };
            };
        };
    };
}
