-- Parts of an album: the message id and the revision under which the row was, or is about to be, sent. Durable before the first attempt, so that a
-- later attempt sends the same rows under the same key whatever came in the meantime.
ALTER TABLE outbox ADD COLUMN sent_as INTEGER;
ALTER TABLE outbox ADD COLUMN sent_revision INTEGER;

UPDATE outbox SET sent_revision = 0, sent_as = (SELECT min(message_id) FROM outbox AS part
    WHERE part.channel_id = outbox.channel_id AND part.album = outbox.album AND part.state = 2)
    WHERE state = 2 AND album IS NOT NULL;
