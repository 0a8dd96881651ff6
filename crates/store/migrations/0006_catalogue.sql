-- Catalogue documents as they were applied. Old versions stay: orders and subscriptions name them.

CREATE TABLE catalogue_document (
    version BIGINT PRIMARY KEY,
    body TEXT NOT NULL,
    applied_at BIGINT NOT NULL,
    applied_by TEXT NOT NULL
);

APPEND ONLY catalogue_document;
