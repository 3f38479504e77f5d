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
