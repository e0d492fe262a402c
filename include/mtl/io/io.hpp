#pragma once

#include "mtl/io/atomic_file.hpp"
#include "mtl/io/csv.hpp"
#include "mtl/io/json.hpp"
#include "mtl/io/safetensors.hpp"
#include "mtl/io/tensorboard.hpp"
