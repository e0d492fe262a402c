#pragma once

#include <string_view>

// The one place where the version stands: CMake, the packages and the documentation read it here.
// Versions are semantic (semver.org); before 1.0 a new minor version may change what programs are
// written against and what they are linked with, a patch neither.
#define MTL_VERSION_MAJOR 0
#define MTL_VERSION_MINOR 2
#define MTL_VERSION_PATCH 0
#define MTL_VERSION_STRING "0.2.0"

/// For the preprocessor: `#if MTL_VERSION >= MTL_VERSION_NUMBER(0, 2, 0)`.
#define MTL_VERSION_NUMBER(major, minor, patch) ((major)*10000 + (minor)*100 + (patch))
#define MTL_VERSION MTL_VERSION_NUMBER(MTL_VERSION_MAJOR, MTL_VERSION_MINOR, MTL_VERSION_PATCH)

namespace mtl {

/// The version of the library that a program runs with. MTL_VERSION_STRING is that of the headers
/// it was compiled with; they differ where a shared library was replaced since.
std::string_view library_version();

}  // namespace mtl
