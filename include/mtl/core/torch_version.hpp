#pragma once

// Everything that differs between the LibTorch versions we build with, except what the engine reads from autograd.
#include <torch/version.h>

/// True on LibTorch 2 and later.
#define MTL_TORCH_2 (TORCH_VERSION_MAJOR >= 2)
