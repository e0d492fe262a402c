#include "mtl/data/samples.hpp"

namespace mtl {

SampleDataset::SampleDataset(std::vector<Sample> samples, Collate collate)
    : size_(static_cast<int64_t>(samples.size())), collate_(std::move(collate)) {
  sample_ = [kept = std::make_shared<const std::vector<Sample>>(std::move(samples))](int64_t i) {
    return (*kept)[static_cast<size_t>(i)];
  };
  check();
}

Batch SampleDataset::get(const Tensor& indices) const {
  data_detail::check_indices(indices, size_, "SampleDataset");
  std::vector<Sample> samples;
  for (int64_t i = 0; i < indices.size(0); ++i)
    samples.push_back(sample_(indices[i].item<int64_t>()));
  return collate_(samples);
}

}  // namespace mtl
