// The one file that includes llhttp, wherever a distribution has put its header. http, L1.
#pragma once

#if __has_include(<llhttp.h>)
#include <llhttp.h>
#else
#include <llhttp/llhttp.h>
#endif
