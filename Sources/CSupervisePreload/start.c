#define _GNU_SOURCE
#include "counting.h"
#include "environment.h"
#include "listeners.h"
#include "mode.h"
#include "next.h"
#include "notify.h"
#include "observe.h"
#include "page.h"
#include "preload.h"
#include "quieting.h"
#include "reporting.h"
#include "settings.h"
#include "shutting.h"

#include <errno.h>

bool is_adopting;
static bool has_begun;

/* A program that a server starts without its listeners must not get an additional descriptor. */
static bool holds_listener(void) {
    for (int index = 0; index < listener_count; index++) {
        if (listeners[index].number >= 0)
            return true;
    }
    return false;
}

static void begin(void) {
    bool adopts = environment_is_on("SUPERVISE_WORKER_ADOPT");
    bool counts = environment_is_on("SUPERVISE_WORKER_COUNT");
    if (adopts || counts || environment_is_on("SUPERVISE_WORKER_DRAIN"))
        listeners_open();
    if (adopts || counts || listener_count > 0)
        notify_prepare(holds_listener());
    /* Needed without counting as well: the page contains the drain flag. */
    if (listener_count > 0) {
        page_open();
        shutting_begin();
        observe_begin();
        quiet_begin();
        reporting_begin();
    }
    if (counts && page_is_open())
        counting_begin();
    if (adopts && listener_count > 0) {
        mode_begin();
        is_adopting = true;
    }
    has_begun = adopts || counts || listener_count > 0;
}

/* Before main() and so, in nearly all programs, before there is a second thread. */
__attribute__((constructor)) static void start(void) {
    int code = errno;
    next_resolve();
    begin();
    errno = code;
}

void supervise_worker_begin(void) {
    int code = errno;
    if (!has_begun)
        begin();
    errno = code;
}

/* The package manager links the Swift runtime into C objects too, but programs in other languages
 * must not load it. The compiler writes its own linker arguments to this section. These ones omit
 * unused libraries. */
__attribute__((used, section(".swift1_autolink_entries"))) static const char linker_arguments[] =
    "-Xlinker\0--as-needed";
