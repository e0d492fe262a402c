#pragma once

#include <cstdint>
#include <string>

#include "mtl/combine/combiner.hpp"
#include "mtl/sharing/model.hpp"
#include "mtl/train/distributed/processes.hpp"
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
/// the plain sum; `processes`: among whom the rows are shared out, and who all get the result of
/// the whole; null: none. Error: also what is wrong with another's share.
ValidationPass validation_pass(Model& model, Combiner* combiner, LoaderRef& loader,
                               FaultyBatch faulty, const Processes* processes = nullptr);

}  // namespace mtl
