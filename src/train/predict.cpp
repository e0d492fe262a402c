#include "mtl/train/predict.hpp"

#include "collector.hpp"
#include "epoch_reader.hpp"
#include "evaluation_mode.hpp"
#include "forward.hpp"

namespace mtl {

Predictions predict(ModelRef model, LoaderRef loader) {
  torch::NoGradGuard no_grad;
  const EvaluationMode evaluation(*model);
  EpochReader reader(loader, "the loader", device_of(*model));
  reader.start(0);
  Collector predictions, targets;
  Batch batch;
  while (reader.next(batch)) {
    predictions.add(forward(*model, batch), size(batch));
    targets.add(batch.targets, size(batch));
  }
  return {predictions.joined(), targets.joined()};
}

}  // namespace mtl
