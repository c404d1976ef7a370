"""What was found is kept: in the process, in Redis, as query results and as whole answers.

A request asks the layers from the outside in:

1. `response`: whole answers with their ETag, in the process (`responses`), served stale while one refreshes;
2. `memory`: query results in the process (`memory`), bounded in bytes and in age;
3. `redis`: query results shared by all pods (`shared`);
4. `query`: the query itself, made once however many ask for it (`flights`).

Before them stand the caller's own copy (304 by ETag) and a CDN's (Cache-Control, Surrogate-Key, Vary), see
`app/api/caching.py`. A write names the tags it touches (`app/shared/changes.py`); every layer of every pod
drops what carries them.
"""
