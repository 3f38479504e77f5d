// Declarations that Swift's Glibc module lacks, and the child side of a start.
#ifndef CSUPERVISE_H
#define CSUPERVISE_H

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

#include "child.h"
#include "connections.h"
#include "cookies.h"
#include "fallback.h"
#include "filter.h"
#include "kernel.h"
#include "listening.h"
#include "messages.h"
#include "registration.h"
#include "signals.h"
#include "sockets.h"
#include "steering.h"
#include "title.h"

#endif
