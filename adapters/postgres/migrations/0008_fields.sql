-- The fields that the documents of each entity type have. If a type declares new ones, opening the store adds them to
-- older documents. So no migration has to change documents.

CREATE TABLE declared_fields (
  kind text PRIMARY KEY,
  names text NOT NULL             -- separated by spaces, in the order of the documents
);

INSERT INTO declared_fields VALUES
  ('task', 'id version created_at updated_at title status priority due notes completed_at'),
  ('product', 'id version created_at updated_at name price category sku stock description'),
  ('webhook', 'id version created_at updated_at url types enabled description disabled_reason secret_version rotated_at');
