// Catch2 2 makes its main function here; Catch2 3 links its own.
#if MTL_CATCH2_MAJOR < 3
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
#endif
