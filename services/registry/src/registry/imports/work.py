"""The statements that turn the staged rows of one chunk into persons, families and what hangs on them.

The set-based twin of the commands of those slices: the same rows, states and dates, 5,000 persons at a time. It writes
their tables itself, since a command a person costs a hundred times as much; the constraints of the tables hold for both.
Only `applying` comes in here. Parameters are numbered because these run on the driver, without the ORM.
"""

BITS = {"identity": 1, "family": 2, "residence": 4, "contact": 8, "payee": 16, "welfare": 32, "life": 64}
"""Bits of `import_work.parts`: what of the row is new or changed."""
ALL_PARTS = 127

LOCK_SOURCE = "SELECT pg_advisory_xact_lock(hashtextextended('santun.import.' || $1, 0))"
"""Two lists of one source are never applied at once."""

LOAD = """
SELECT s.line, s.ref, s.family_ref, s.digest, s.person_id AS fresh, s.region_code, s.status, s.died_on,
    known.person_id AS known, known.digest AS old, known.gone_as_of IS NOT NULL AS returned
FROM import_staging AS s LEFT JOIN import_subject AS known ON known.source = $4 AND known.ref = s.ref
WHERE s.run_id = $1 AND coalesce(s.family_ref, s.ref) BETWEEN $2 AND $3
    AND (known.ref IS NULL OR known.digest <> s.digest OR known.gone_as_of IS NOT NULL)
ORDER BY coalesce(s.family_ref, s.ref), s.line
"""

MAKE = """
CREATE TEMPORARY TABLE IF NOT EXISTS import_work (LIKE import_staging, target uuid NOT NULL, is_new bool NOT NULL,
    parts int NOT NULL, family_id uuid, new_family bool NOT NULL) ON COMMIT DELETE ROWS
"""
ANALYSE_REGISTRY = "SELECT import_analyse_registry()"
INDEX = (
    "CREATE INDEX IF NOT EXISTS import_work_target ON import_work (target)",
    "CREATE INDEX IF NOT EXISTS import_work_family ON import_work (family_id)",
)
FILL = """
INSERT INTO import_work
SELECT s.*, w.target, w.is_new, w.parts, NULL, false
FROM unnest($4::int[], $5::uuid[], $6::bool[], $7::int[]) AS w(line, target, is_new, parts)
JOIN import_staging AS s ON s.line = w.line
WHERE s.run_id = $1 AND coalesce(s.family_ref, s.ref) BETWEEN $2 AND $3
"""
ANALYSE = "ANALYZE import_work"

LOCK_FAMILIES = """
SELECT f.id FROM family AS f WHERE f.source = $1 AND f.source_ref IN (SELECT family_ref FROM import_work)
ORDER BY f.id FOR UPDATE
"""
LOCK_PERSONS = (
    "SELECT id FROM person WHERE id IN (SELECT target FROM import_work WHERE NOT is_new) ORDER BY id FOR UPDATE"
)
"""Families before persons, ids sorted: as everybody locks who changes both."""

ADD_PERSONS = """
INSERT INTO person (id, seq, birth_date, birth_precision, sex, provisional, region_code, registered, registered_as_of, source,
    source_ref, created_by, created_at, updated_at)
SELECT target, 1, birth_date, CASE WHEN birth_date IS NULL THEN 9 ELSE 1 END, sex,
    claim_id IS NULL OR nik_structure = 'bad' OR 'nik_tgl_beda' = ANY(nik_warnings), region_code, $4::bool, CASE WHEN $4::bool THEN $2::date END,
    $1::text, ref, $3::text, $5::timestamptz, $5::timestamptz
FROM import_work WHERE is_new ORDER BY target
RETURNING id, provisional, region_code
"""
CHANGE_PERSONS = """
UPDATE person AS p SET birth_date = coalesce(w.birth_date, p.birth_date), sex = coalesce(w.sex, p.sex),
    birth_precision = CASE WHEN w.birth_date IS NULL THEN p.birth_precision ELSE 1 END,
    region_code = w.region_code, registered = $2::bool, registered_as_of = CASE WHEN $2::bool THEN $1::date ELSE p.registered_as_of END,
    version = p.version + 1, updated_at = $3::timestamptz
FROM import_work AS w
WHERE p.id = w.target AND NOT w.is_new AND w.parts & 5 <> 0
    AND (p.birth_date, p.sex, p.region_code, p.registered)
        IS DISTINCT FROM (coalesce(w.birth_date, p.birth_date), coalesce(w.sex, p.sex), w.region_code, $2::bool)
"""

ADD_FAMILIES = """
INSERT INTO family (seq, region_code, head_person_id, source, source_ref, created_by, created_at, updated_at)
SELECT 1, (array_agg(w.region_code ORDER BY w.line))[1],
    (array_agg(w.target ORDER BY w.line) FILTER (WHERE w.relation = 1))[1], $1::text, w.family_ref, $2::text, $3::timestamptz, $3::timestamptz
FROM import_work AS w
WHERE w.family_ref IS NOT NULL AND w.parts & 2 <> 0
    AND NOT EXISTS (SELECT FROM family AS f WHERE f.source = $1::text AND f.source_ref = w.family_ref)
GROUP BY w.family_ref ORDER BY w.family_ref
RETURNING id, head_person_id
"""
NAME_FAMILIES = """
UPDATE import_work AS w SET family_id = f.id, new_family = f.id = ANY($2::uuid[]) FROM family AS f
WHERE f.source = $1::text AND f.source_ref = w.family_ref AND w.parts & 34 <> 0
"""
MEMBERS_OF_NEW = """
SELECT family_id, array_agg(target ORDER BY line) AS persons FROM import_work WHERE new_family AND parts & 2 <> 0 GROUP BY 1
"""

END_NAMES = """
UPDATE person_name AS n SET valid_to = greatest($2::date, n.valid_from) FROM import_work AS w
WHERE NOT w.is_new AND w.parts & 1 <> 0 AND n.person_id = w.target AND n.kind = $1::text AND n.valid_to IS NULL AND n.name <> w.name
"""
ADD_NAMES = """
INSERT INTO person_name (person_id, kind, name, name_norm, suffix, source, valid_from)
SELECT w.target, $1::text, w.name, w.name_norm, w.suffix, $3::text, CASE WHEN w.is_new THEN NULL ELSE $2::date END
FROM import_work AS w
WHERE w.parts & 1 <> 0 AND (w.is_new OR NOT EXISTS (
    SELECT FROM person_name AS n WHERE n.person_id = w.target AND n.kind = $1::text AND n.valid_to IS NULL))
ORDER BY w.target
"""

# A NIK that an authority matched is not replaced by what a list says, and an absent one takes nothing away.
END_CLAIMS = """
UPDATE identity_claim AS c SET state = 'superseded', version = c.version + 1, updated_at = $1::timestamptz FROM import_work AS w
WHERE NOT w.is_new AND w.parts & 1 <> 0 AND w.claim_id IS NOT NULL AND c.person_id = w.target AND c.scheme = 'nik'
    AND c.state NOT IN ('superseded', 'rejected', 'matched') AND c.value_bidx <> w.nik_bidx
"""
ADD_CLAIMS = """
INSERT INTO identity_claim (id, person_id, scheme, value_enc, value_bidx, bidx_key_id, last4, structure, warnings, state, source,
    captured_by, created_by, created_at, updated_at)
SELECT w.claim_id, w.target, 'nik', w.nik_enc, w.nik_bidx, $2::smallint, w.nik_last4, w.nik_structure, w.nik_warnings,
    CASE WHEN w.nik_structure = 'bad' THEN 'quarantined' ELSE 'well_formed' END, $1::text, $3::text, $3::text, $4::timestamptz, $4::timestamptz
FROM import_work AS w
WHERE w.parts & 1 <> 0 AND w.claim_id IS NOT NULL AND (w.is_new OR NOT EXISTS (
    SELECT FROM identity_claim AS c WHERE c.person_id = w.target AND c.scheme = 'nik' AND c.state NOT IN ('superseded', 'rejected')))
ORDER BY w.claim_id
"""
DOUBLED_CLAIMS = """
SELECT c.value_bidx FROM identity_claim AS c
WHERE c.scheme = 'nik' AND c.state NOT IN ('superseded', 'rejected', 'quarantined')
    AND c.value_bidx IN (SELECT nik_bidx FROM import_work WHERE parts & 1 <> 0 AND nik_bidx IS NOT NULL)
GROUP BY c.value_bidx HAVING count(*) > 1
"""
SET_CONFLICTS = """
UPDATE identity_claim AS c SET state = 'conflict', version = c.version + 1, updated_at = $2::timestamptz
WHERE c.scheme = 'nik' AND c.value_bidx = ANY($1::bytea[]) AND c.state IN ('captured', 'well_formed', 'mismatch', 'not_found')
RETURNING c.person_id
"""

END_CARDS = """
UPDATE family_card AS k SET state = 'closed', valid_to = greatest($1::date, k.valid_from)
FROM (SELECT DISTINCT ON (family_id) family_id, kk_bidx FROM import_work
    WHERE family_id IS NOT NULL AND NOT new_family AND parts & 2 <> 0 AND card_id IS NOT NULL ORDER BY family_id, line) AS w
WHERE k.family_id = w.family_id AND k.state <> 'closed' AND k.kk_bidx <> w.kk_bidx
RETURNING k.family_id
"""
ADD_CARDS = """
INSERT INTO family_card (id, family_id, kk_enc, kk_bidx, bidx_key_id, last4, valid_from, warnings)
SELECT DISTINCT ON (w.family_id) w.card_id, w.family_id, w.kk_enc, w.kk_bidx, $2::smallint, w.kk_last4,
    CASE WHEN w.new_family THEN NULL ELSE $1::date END, w.kk_warnings
FROM import_work AS w
WHERE w.family_id IS NOT NULL AND w.parts & 2 <> 0 AND w.card_id IS NOT NULL
    AND (w.new_family OR NOT EXISTS (SELECT FROM family_card AS k WHERE k.family_id = w.family_id AND k.state <> 'closed'))
ORDER BY w.family_id, w.line
"""

END_MEMBERS = """
UPDATE family_member AS m SET valid_to = greatest($1::date, m.valid_from), left_reason = 'impor' FROM import_work AS w
WHERE NOT w.is_new AND w.parts & 2 <> 0 AND w.family_id IS NOT NULL AND m.person_id = w.target AND m.basis = 'kk'
    AND m.valid_to IS NULL AND (m.family_id, m.shdk) IS DISTINCT FROM (w.family_id, w.relation)
RETURNING m.family_id, m.person_id, w.family_id AS joined
"""
# Whoever is new in a family that is new was always there, as far as anybody knows; else the list's day begins it. A second
# head that the constraint would refuse is kept as another relative.
ADD_MEMBERS = """
INSERT INTO family_member (family_id, person_id, shdk, basis, valid_from, source)
SELECT w.family_id, w.target,
    CASE WHEN w.relation = 1 AND NOT w.new_family AND EXISTS (SELECT FROM family_member AS h WHERE h.family_id = w.family_id
        AND h.basis = 'kk' AND h.shdk = 1 AND h.valid_to IS NULL AND h.person_id <> w.target) THEN 11 ELSE w.relation END,
    'kk',
    CASE WHEN w.is_new AND w.new_family THEN NULL ELSE greatest($2::date,
        (SELECT max(m.valid_to) FROM family_member AS m WHERE m.person_id = w.target AND m.basis = 'kk'),
        (SELECT max(m.valid_to) FROM family_member AS m WHERE m.family_id = w.family_id AND m.basis = 'kk' AND m.shdk = 1)) END,
    $1::text
FROM import_work AS w
WHERE w.family_id IS NOT NULL AND w.parts & 2 <> 0 AND (w.is_new OR NOT EXISTS (
    SELECT FROM family_member AS m WHERE m.person_id = w.target AND m.basis = 'kk' AND m.valid_to IS NULL))
ORDER BY w.target
RETURNING family_id, person_id
"""
SET_HEADS = """
UPDATE family AS f SET head_person_id = m.person_id, version = f.version + 1, updated_at = $2::timestamptz FROM family_member AS m
WHERE f.id = ANY($1::uuid[]) AND m.family_id = f.id AND m.basis = 'kk' AND m.shdk = 1 AND m.valid_to IS NULL
    AND f.head_person_id IS DISTINCT FROM m.person_id
"""

END_RESIDENCES = """
UPDATE residence AS r SET valid_to = greatest($1::date, r.valid_from) FROM import_work AS w
WHERE NOT w.is_new AND w.parts & 4 <> 0 AND r.person_id = w.target AND r.kind = 'ktp' AND r.valid_to IS NULL
"""
ADD_RESIDENCES = """
INSERT INTO residence (id, person_id, kind, region_code, rt, rw, street_enc, valid_from, source)
SELECT w.residence_id, w.target, 'ktp', w.region_code, w.rt, w.rw, w.street_enc,
    CASE WHEN w.is_new THEN NULL ELSE greatest($2::date,
        (SELECT max(r.valid_to) FROM residence AS r WHERE r.person_id = w.target AND r.kind = 'ktp')) END, $1::text
FROM import_work AS w WHERE w.parts & 4 <> 0 ORDER BY w.target
"""

END_CONTACTS = """
UPDATE contact AS c SET state = 'stale', version = c.version + 1, updated_at = $2::timestamptz FROM import_work AS w
WHERE NOT w.is_new AND w.parts & 8 <> 0 AND c.person_id = w.target AND c.source = $1::text AND c.state = 'live'
    AND c.value_bidx IS DISTINCT FROM CASE c.kind WHEN 'email' THEN w.email_bidx ELSE w.phone_bidx END
"""
ADD_CONTACTS = """
INSERT INTO contact AS c (id, person_id, kind, value_enc, value_bidx, bidx_key_id, source, created_by, created_at, updated_at)
SELECT id, target, kind, enc, bidx, $2::smallint, $1::text, $3::text, $4::timestamptz, $4::timestamptz
FROM (
    SELECT phone_id AS id, target, 'phone' AS kind, phone_enc AS enc, phone_bidx AS bidx FROM import_work
    WHERE phone_id IS NOT NULL AND parts & 8 <> 0
    UNION ALL
    SELECT email_id, target, 'email', email_enc, email_bidx FROM import_work WHERE email_id IS NOT NULL AND parts & 8 <> 0
) AS w ORDER BY target, kind
ON CONFLICT (person_id, kind, value_bidx) DO UPDATE SET state = 'live', version = c.version + 1, updated_at = $4::timestamptz
    WHERE c.state = 'stale'
"""

# A list never redirects money: the first account of a person becomes the default, another one waits for two people.
ADD_ACCOUNTS = """
INSERT INTO payee_account (id, person_id, rail, bank_code, account_enc, account_bidx, bidx_key_id, last4, holder_name, name_match,
    is_default, state, captured_by, source, created_by, created_at, updated_at)
SELECT w.account_id, w.target, 'bank', w.bank_code, w.account_enc, w.account_bidx, $2::smallint, w.account_last4, w.holder, w.name_match,
    w.is_new OR NOT EXISTS (SELECT FROM payee_account AS a WHERE a.person_id = w.target AND a.is_default AND a.state <> 'superseded'),
    'captured', $3::text, $1::text, $3::text, $4::timestamptz, $4::timestamptz
FROM import_work AS w
WHERE w.parts & 16 <> 0 AND w.account_id IS NOT NULL AND (w.is_new OR NOT EXISTS (SELECT FROM payee_account AS a
    WHERE a.person_id = w.target AND a.account_bidx = w.account_bidx AND a.state <> 'superseded'))
ORDER BY w.target
"""

ADD_DESIL = """
INSERT INTO desil (family_id, snapshot_id, desil, desil_state, as_of, source)
SELECT w.family_id, $3::uuid, w.desil, CASE WHEN w.desil IS NULL THEN 'unranked' ELSE 'ranked' END, $2::date, $1::text
FROM (SELECT DISTINCT ON (family_id) family_id, desil FROM import_work
    WHERE family_id IS NOT NULL AND parts & 32 <> 0 ORDER BY family_id, desil IS NULL, line) AS w
LEFT JOIN LATERAL (SELECT r.desil FROM desil AS r WHERE r.family_id = w.family_id
    ORDER BY r.as_of DESC, r.snapshot_id DESC LIMIT 1) AS last ON true
WHERE last.desil IS DISTINCT FROM w.desil
ON CONFLICT DO NOTHING
RETURNING family_id
"""

KEEP_SUBJECTS = """
INSERT INTO import_subject AS known (source, ref, person_id, family_ref, region_code, digest, run_id)
SELECT $1::text, ref, target, family_ref, region_code, digest, run_id FROM import_work ORDER BY ref
ON CONFLICT (source, ref) DO UPDATE SET family_ref = excluded.family_ref, region_code = excluded.region_code,
    digest = excluded.digest, run_id = excluded.run_id, gone_as_of = NULL
"""

MEMBERS = "SELECT person_id FROM family_member WHERE family_id = ANY($1::uuid[]) AND valid_to IS NULL"
RAISE_FAMILIES = """
UPDATE family AS f SET seq = f.seq + n.events, updated_at = $3::timestamptz
FROM unnest($1::uuid[], $2::int[]) AS n(id, events) WHERE f.id = n.id RETURNING f.id, f.seq, f.head_person_id
"""

GONE = """
UPDATE import_subject AS known SET gone_as_of = $4::date, run_id = $1
WHERE known.source = $5::text AND known.ref BETWEEN $2 AND $3 AND known.gone_as_of IS NULL
    AND (known.region_code = $6::text OR starts_with(known.region_code, $6::text || '.'))
    AND NOT EXISTS (SELECT FROM import_staging AS s WHERE s.run_id = $1 AND s.ref = known.ref)
RETURNING known.person_id
"""
UNREGISTER = """
UPDATE person SET registered = false, version = version + 1, updated_at = $2::timestamptz WHERE id = ANY($1::uuid[]) AND registered
"""
