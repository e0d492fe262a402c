#include "mtl/data/data.hpp"

int main() {
  const torch::Tensor x = torch::rand({100, 3});
  const mtl::TensorDataset data({{"input", x}}, {{"sum", x.sum(1)}, {"first", x.select(1, 0)}});
  mtl::BatchLoader loader(data, {.batch_size = 32, .shuffle = true, .seed = 1});

  mtl::Batch batch;
  for (int64_t epoch = 0; epoch < 2; ++epoch) {
    loader.start_epoch(epoch);
    while (loader.next(batch)) {
      // batch.inputs["input"]: [32, 3], batch.targets["sum"]: [32]
    }
  }
}
