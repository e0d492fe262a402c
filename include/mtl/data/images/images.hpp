#pragma once

#include "mtl/data/images/dataset.hpp"
#include "mtl/data/images/decode.hpp"
#include "mtl/data/images/encoded_pictures.hpp"
#include "mtl/data/images/image.hpp"
#include "mtl/data/images/loader.hpp"
#include "mtl/data/images/preparation.hpp"
#include "mtl/data/images/resize.hpp"
#include "mtl/data/images/transforms.hpp"
