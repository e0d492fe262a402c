#pragma once

#include <cstdint>
#include <string>

#include "mtl/combine/combiner.hpp"
#include "mtl/sharing/model.hpp"
#include "mtl/train/faulty_batch.hpp"
#include "mtl/train/history.hpp"
#include "mtl/train/loader_ref.hpp"

namespace mtl {

struct ValidationPass {
  SplitRecord record;
  int64_t faulty_rows = 0;  // left out: their loss is NaN or infinite
  std::string first_fault;
};

/// What `validate` does, with a choice for rows whose loss is NaN or infinite. `combiner`: null for
/// the plain sum.
ValidationPass validation_pass(Model& model, Combiner* combiner, LoaderRef& loader,
                               FaultyBatch faulty);

}  // namespace mtl
