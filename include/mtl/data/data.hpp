#pragma once

#include "mtl/data/dataset.hpp"
#include "mtl/data/fill_from_earlier.hpp"
#include "mtl/data/joined_targets.hpp"
#include "mtl/data/label_encoder.hpp"
#include "mtl/data/loader.hpp"
#include "mtl/data/padding.hpp"
#include "mtl/data/prefetch.hpp"
#include "mtl/data/samples.hpp"
#include "mtl/data/sampling.hpp"
#include "mtl/data/scalers/scalers.hpp"
#include "mtl/data/shuffled_order.hpp"
#include "mtl/data/sources.hpp"
#include "mtl/data/splits/splits.hpp"
#include "mtl/data/table.hpp"
#include "mtl/data/table_columns.hpp"
#include "mtl/data/table_encoder.hpp"
#include "mtl/data/target_columns.hpp"
#include "mtl/data/windows.hpp"
#ifdef MTL_HAS_IMAGES
#include "mtl/data/images/images.hpp"
#endif
