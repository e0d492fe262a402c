#pragma once

#include "mtl/deploy/answer_text.hpp"
#include "mtl/deploy/bundle.hpp"
#include "mtl/deploy/bundle_notes.hpp"
#include "mtl/deploy/description.hpp"
#include "mtl/deploy/export_python.hpp"
#include "mtl/deploy/fields.hpp"
#include "mtl/deploy/kind.hpp"
#include "mtl/deploy/predictor.hpp"
#include "mtl/deploy/table_notes.hpp"
#include "mtl/deploy/weights_by_name.hpp"
