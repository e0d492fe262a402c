#pragma once

// Debian 12 ships Catch2 2, Ubuntu 24.04 ships Catch2 3: the tests use what both have. Which one it
// is CMake says: where both lie about, the headers must be those of the library that is linked.
#if MTL_CATCH2_MAJOR >= 3
#include <catch2/catch_all.hpp>
using Catch::Approx;
#else
#include <catch2/catch.hpp>
#endif
