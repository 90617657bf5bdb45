// The nouns that the modules of the page share, for the checker of types. Browsers do not read this file.

// What the service answers.

interface Entity { id: number; version: number; created_at: string; updated_at: string; [name: string]: any }

interface Change {
  cursor: string;
  type: string;
  id: number;
  version: number;
  at: string;
  data: Entity;
  changed: string[];
  actor: { key: number; name: string } | null;
  reason?: string;
  request_id: string;
}

interface Grant { key: { id: number; name: string } | null; scope: "read" | "write" | "admin"; by: string | null }

interface Key {
  id: number;
  name: string;
  scope: string;
  last_four: string;
  created_at: string;
  expires_at: string | null;
  last_used_at: string | null;
  revoked_at: string | null;
}

interface Webhook {
  id: number;
  version: number;
  url: string;
  types: string[];
  enabled: boolean;
  description: string;
  disabled_reason: string | null;
}

interface Delivery {
  id: string;
  type: string;
  status: string;
  attempts: { at: string; status: number | null; error: string | null; duration_ms: number }[];
  next_attempt_at: string | null;
}

interface Breach { line: number; column: string; value: string; reason: string }

interface Report {
  rows: number;
  refused: number;
  errors: Breach[];
  omitted: number;
  header: string;
  titles: string[];
  first: (string | null)[][];
  keys: { line: number; field: string; value: string }[];
  next_line: number | null;
}

// What the page makes of it.

interface Field {
  name: string;
  kind: "text" | "lines" | "choice" | "date" | "price" | "count" | "time";
  choices?: string[];
  fixed?: true;
  required?: true;
  unsorted?: true;
}

interface Collection { name: string; type: string; title: string; fields: Field[]; columns: string[] }

interface Route { view: string; query: URLSearchParams; id: number | null }

interface View {
  show: (route: Route) => void;
  /** Gets what this page stored. */
  apply?: (changes: Partial<Change>[]) => void;
  /** Is called when what waits for an answer changes. */
  waiting?: () => void;
  leave: () => void;
}

type Opener = (main: HTMLElement, grant: Grant) => View | Promise<View>;

/** Of the connection. */
type State = "connecting" | "live" | "broken" | "paused";

type Listing = import("../../adapters/http/static/app/listing.js").Listing;

/** What makes an element: its properties and attributes, and its listeners, whose events are of many types. */
interface Properties { [listener: `on${string}`]: (event: any) => unknown; [property: string]: any }

/** What a row is marked with. */
interface Marks { waits: boolean; isDraft: boolean; mayWrite: boolean }

/** A part of the overview. */
interface Card { title: string; name: string; query: string; told: (entity: Entity) => string }

interface Actions {
  tick: (entity: Entity) => void;
  move: (entity: Entity, change: number) => void;
  remove: (entity: Entity) => void;
  edit: (entity: Entity) => void;
}

interface Draft {
  base: Entity;
  /** As typed, by field. */
  mine: Record<string, string>;
  /** What the service has, if somebody changed it after `base`. */
  theirs?: Entity;
}

interface Write {
  /** Its idempotency key. */
  key: string;
  method: string;
  path: string;
  body?: any;
  /** The one that it changes. */
  version?: number | "*";
  label: string;
  at: number;
  /** An edit has the entity that it changes, and what was typed. */
  base?: Entity;
  mine?: Record<string, string>;
  /** The key of whoever made it. */
  by?: number | null;
}

/** How a table is read, and what becomes of its rows. */
interface Options {
  delimiter: string;
  decimal: string;
  columns?: Record<string, string>;
  match?: string | null;
  update?: boolean;
}

interface Piece { body: Options & { text: string; line?: number; continue?: boolean }; end: number; report: Report }
