#pragma once

#include "mtl/io/atomic_file.hpp"
#include "mtl/io/csv.hpp"
#include "mtl/io/digest.hpp"
#include "mtl/io/excerpt.hpp"
#include "mtl/io/file.hpp"
#include "mtl/io/file_lock.hpp"
#include "mtl/io/json.hpp"
#include "mtl/io/json_member.hpp"
#include "mtl/io/safetensors.hpp"
#include "mtl/io/tensorboard.hpp"
#include "mtl/io/text_encoding.hpp"
