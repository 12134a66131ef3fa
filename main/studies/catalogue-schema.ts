/** Numbered migrations of catalogue.db. Once released, an entry is never changed: add another. */
export const CATALOGUE_MIGRATIONS: readonly string[] = [
  `
  -- A study's data key, sealed to the workstation's identity. Without this row the capsule is noise.
  CREATE TABLE capsule (
    id TEXT PRIMARY KEY,
    sealed_key BLOB NOT NULL,
    cipher TEXT NOT NULL CHECK (cipher IN ('aegis-256', 'sqlcipher')),
    created_at TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- Capsules whose key is destroyed and whose file is still to be removed.
  CREATE TABLE shredded (capsule TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;

  CREATE TABLE study (
    id INTEGER PRIMARY KEY,
    uid TEXT NOT NULL UNIQUE,
    capsule TEXT NOT NULL UNIQUE REFERENCES capsule (id),
    patient_name TEXT,
    patient_id TEXT,
    patient_birth_date TEXT,
    patient_sex TEXT,
    study_date TEXT,
    study_time TEXT,
    accession_number TEXT,
    description TEXT,
    referring_physician TEXT,
    institution TEXT,
    -- sorted, separated by a backslash
    modalities TEXT NOT NULL DEFAULT '',
    series INTEGER NOT NULL DEFAULT 0,
    instances INTEGER NOT NULL DEFAULT 0,
    bytes INTEGER NOT NULL DEFAULT 0,
    -- name, id, accession number and description, folded
    search_text TEXT NOT NULL,
    sort_name TEXT NOT NULL,
    -- DICOM JSON, as are all columns of this name
    attributes TEXT NOT NULL,
    received_at TEXT NOT NULL
  ) STRICT;
  CREATE INDEX study_by_date ON study (study_date);
  CREATE INDEX study_by_patient ON study (patient_id);

  CREATE TABLE series (
    id INTEGER PRIMARY KEY,
    study INTEGER NOT NULL REFERENCES study (id) ON DELETE CASCADE,
    uid TEXT NOT NULL,
    modality TEXT NOT NULL,
    number REAL,
    description TEXT,
    body_part TEXT,
    instances INTEGER NOT NULL DEFAULT 0,
    frames INTEGER NOT NULL DEFAULT 0,
    bytes INTEGER NOT NULL DEFAULT 0,
    attributes TEXT NOT NULL,
    UNIQUE (study, uid)
  ) STRICT;
  CREATE INDEX series_by_uid ON series (uid);

  CREATE TABLE instance (
    id INTEGER PRIMARY KEY,
    series INTEGER NOT NULL REFERENCES series (id) ON DELETE CASCADE,
    uid TEXT NOT NULL UNIQUE,
    -- instance.id in the capsule
    capsule_row INTEGER NOT NULL,
    sop_class TEXT NOT NULL,
    transfer_syntax TEXT NOT NULL,
    number REAL,
    rows INTEGER,
    columns INTEGER,
    frames INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    -- of the file as received
    sha256 BLOB NOT NULL,
    -- of its parts and data set in the capsule
    root BLOB NOT NULL,
    attributes TEXT NOT NULL
  ) STRICT;
  CREATE INDEX instance_by_series ON instance (series, number, uid);

  CREATE TABLE inference_run (
    sequence INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    study INTEGER NOT NULL REFERENCES study (id) ON DELETE CASCADE,
    run TEXT NOT NULL
  ) STRICT;
  CREATE INDEX inference_run_by_study ON inference_run (study);
  `,
]

export const CATALOGUE_PAGE_BYTES = 16_384
export const CATALOGUE_CACHE_BYTES = 16 * 1024 * 1024
