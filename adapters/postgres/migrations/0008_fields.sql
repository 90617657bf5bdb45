-- Which fields the documents of each entity type have. Where a type declares others, the store gives them to what was
-- written before, when it is opened; so no migration has to change documents.

CREATE TABLE declared_fields (
  kind text PRIMARY KEY,
  names text NOT NULL             -- separated by spaces, in the order of the documents
);

INSERT INTO declared_fields VALUES
  ('task', 'id version created_at updated_at title status priority due notes completed_at'),
  ('product', 'id version created_at updated_at name price category sku stock description'),
  ('webhook', 'id version created_at updated_at url types enabled description disabled_reason secret_version rotated_at');
