#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "mtl/core/batch.hpp"
#include "mtl/data/images/dataset.hpp"
#include "mtl/data/images/transforms.hpp"

namespace mtl {

/// Batches of pictures, epoch after epoch, made ahead by worker threads and handed out in order.
///
///     using namespace mtl::images;
///     mtl::ImageLoader train(pets, {.shuffle = true, .seed = 1,
///                                   .transform = Compose{{Resize{224, 224}, Flip{}}},
///                                   .workers = 2});
///
/// Batch::inputs has the pictures as floats [n, 3, H, W], in memory with the channels innermost
/// (torch's channels_last, which convolutions on a CPU like); Batch::targets the rows of the
/// dataset's targets, and so with its sample weights. The batches of epoch e depend on the dataset,
/// the options and e, not on the number of workers.
///
/// A file that cannot be used is left out of its batch, which is smaller then;
/// ImageDataset::findings() lists it. Any other error of a worker is thrown by next().
class ImageLoader {
 public:
  struct Options {
    int64_t batch_size = 32;
    bool shuffle = false;
    uint64_t seed = 0;       ///< of the order and of the transforms
    bool drop_last = false;  ///< leave out a last batch of fewer samples
    /// Done anew to each picture in each epoch, by several workers at once; must end in one size
    /// for all.
    images::Transform transform = {};
    images::Normalize normalize = {};  ///< the last step, to floats
    int64_t workers = 1;   ///< threads that read, decode and transform; 0: the caller does it
    int64_t prefetch = 2;  ///< finished batches that a worker may be ahead of the caller
    std::string input = "image";  ///< the name of the pictures in Batch::inputs
  };

  /// Error: there would be no batch, an option is out of range.
  ImageLoader(ImageDataset dataset, Options options);
  explicit ImageLoader(ImageDataset dataset) : ImageLoader(std::move(dataset), Options()) {}
  ImageLoader(ImageLoader&&) noexcept;
  ImageLoader& operator=(ImageLoader&&) noexcept;
  ~ImageLoader();

  const ImageDataset& dataset() const;
  int64_t batches() const;
  int64_t samples() const;
  /// What makes its batches, by which a resumed run knows whether they are the same.
  std::string text() const;

  /// To the beginning of epoch `epoch`; a new loader stands at the beginning of epoch 0.
  void start_epoch(int64_t epoch);
  /// Puts the next batch into `batch`; false, and nothing done, after the last.
  /// Error: an epoch had no usable picture at all, pictures of a batch differ in size, or what the
  /// transform throws, with the file's name.
  bool next(Batch& batch);
  /// Passes over the next `count` batches without decoding their pictures; findings() does not
  /// learn of theirs.
  void skip(int64_t count);

  /// The dataset's rows that the last batch holds, in its order: [n].
  const Tensor& rows() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mtl
