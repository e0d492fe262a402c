// The code of docs/pictures.md. Trains on the four drawn pictures beside it.
#include <cstdio>
#include <filesystem>
#include <mtl/mtl.hpp>

#ifdef MTL_HAS_IMAGES

using namespace mtl::images;
namespace fs = std::filesystem;

int train_on_pictures(const std::vector<fs::path>& files, const mtl::NamedTensors& targets) {
  mtl::ImageDataset pets(files, targets);  // paths; named tensors with a row a file
  mtl::ImageLoader train(pets, {.batch_size = 4,
                                .shuffle = true,
                                .transform = Compose{{RandomResizedCrop{32, 32}, Flip{}}},
                                .workers = 2});

  mtl::TaskRegistry tasks;
  tasks.add({.name = "breed", .head = mtl::nn::LinearHead(32, 2), .loss = mtl::CrossEntropy{}});
  tasks.add({.name = "ear", .head = mtl::nn::LinearHead(32, 2), .loss = mtl::BinaryCrossEntropy{}});
  mtl::HardSharing model(mtl::nn::CnnEncoder({.channels = {16, 32}}), tasks);

  torch::optim::Adam adam(model->parameters(), 1e-2);
  mtl::Sum combiner;
  auto run = mtl::Trainer(model, adam, combiner, {.epochs = 5}).fit(train);
  std::puts(run.brief().c_str());
  std::puts(mtl::summary(pets.findings(), pets.size()).c_str());
  return run.steps == 5 ? 0 : 1;
}

/// Half to all of the brightness.
Image darker(Image image, Random& random) {
  const double factor = random.uniform(0.5, 1.0);
  for (auto& value : image.pixels) value = static_cast<uint8_t>(value * factor);
  return image;
}

mtl::ImageDataset readable(mtl::ImageDataset pets) {
  pets = pets.rows(pets.usable(2));
  return pets;
}

void pretrained(const fs::path& weights, const mtl::TaskRegistry& tasks) {
  mtl::nn::EfficientNetLite encoder;
  encoder->load_weights(weights);
  encoder->freeze_until(12);  // stem and blocks 0..11 stay as they are, BatchNorm statistics too
  mtl::HardSharing model(encoder, tasks);

  using Options = torch::optim::AdamWOptions;
  torch::optim::AdamW adam(mtl::parameter_groups(*model, Options(1e-4), Options(1e-3)));
}

mtl::TensorDataset few_pictures(const mtl::ImageDataset& pets, const fs::path& weights) {
  mtl::PictureFeatures features(weights);
  return mtl::TensorDataset({{"input", features.kept(pets)}}, pets.targets());  // [pets, 2280]
}

mtl::TensorDataset small_pictures(const mtl::ImageDataset& pets) {
  const Preparation square{.width = 48, .height = 48, .shorter_side = 48};
  return mtl::TensorDataset({{"input", mtl::encoded_pictures(pets, square)}}, pets.targets());
}

int main(int, char** arguments) {  // argument: the folder of the snippets
  const fs::path folder = fs::path(arguments[1]) / "pictures";
  std::vector<fs::path> files;
  for (const char* name : {"Bengal_1.jpg", "Bengal_2.jpg", "pug_1.jpg", "pug_2.jpg"}) {
    files.push_back(folder / name);
  }
  const mtl::NamedTensors targets = {
      {"breed", torch::tensor({0, 0, 1, 1}, torch::kInt64)},
      {"ear", torch::tensor({{1.0F, 0.0F}, {1.0F, 0.0F}, {0.0F, 1.0F}, {0.0F, 1.0F}})}};
  return train_on_pictures(files, targets);
}

#else

int main() { std::puts("built without libjpeg and libpng: no pictures"); }

#endif
