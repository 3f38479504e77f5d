#include "CSupervise.h"
typedef int csupervise_not_empty;
