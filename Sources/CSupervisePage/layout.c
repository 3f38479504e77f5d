#include "supervise_page.h"

/* Programs in other languages have these numbers in their code: they can never change. */
#define PUBLISHED(value, number) _Static_assert(value == number, "the published layout")

PUBLISHED(sizeof(struct supervise_page), supervise_page_size);
PUBLISHED(supervise_page_version_at, 8);
PUBLISHED(supervise_page_nonce_at, 16);
PUBLISHED(supervise_page_requests_at, 64);
PUBLISHED(supervise_page_limit_at, 128);
PUBLISHED(supervise_page_connections_at, 192);
PUBLISHED(supervise_page_flags_at, 256);
PUBLISHED(supervise_page_reports_at, 320);
PUBLISHED(supervise_page_pause_at, 448);

PUBLISHED(supervise_ledger_responses_at, 4096 + 64);
PUBLISHED(supervise_ledger_requests_at, 4096 + 112);
PUBLISHED(supervise_ledger_connections_at, 4096 + 120);
PUBLISHED(supervise_ledger_used_at, 4096 + 128);
PUBLISHED(supervise_ledger_opaque_at, 4096 + 136);
PUBLISHED(supervise_ledger_unlisted_at, 4096 + 144);
PUBLISHED(supervise_ledger_slow_after_at, 4096 + 8);
PUBLISHED(supervise_ledger_slow_response_at, 4096 + 152);
PUBLISHED(supervise_ledger_nanoseconds_at, 4096 + 200);
PUBLISHED(supervise_ledger_rows_at, 4096 + 768);
PUBLISHED(supervise_ledger_row_size, 128);
PUBLISHED(supervise_ledger_routes_at, 4096 + 768 + 32 * 128);
PUBLISHED(supervise_ledger_route_size, 128);

PUBLISHED(supervise_hunt_at, 7 * 4096);
PUBLISHED(supervise_hunt_count_at, 7 * 4096 + 64);
PUBLISHED(supervise_hunt_runtimes_at, 7 * 4096 + 68);
PUBLISHED(supervise_hunt_rows_at, 7 * 4096 + 128 + 2 * 64 * 4096);
PUBLISHED(supervise_hunt_row_size, 120);
PUBLISHED(supervise_hunt_row_bytes_at, 16);

_Static_assert(
    supervise_ledger_at + sizeof(struct supervise_ledger) <= supervise_page_file_size,
    "the ledger fits into the file");
