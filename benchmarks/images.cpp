// What a picture costs from the file to the batch, against libjpeg-turbo's decode plus one bilinear
// resize.
//
//     mtl_benchmark_images [--pictures FOLDER]     (default: pictures of 500 x 375 made here)
//
// The reference and the pipeline take turns picture by picture, so that whatever else the machine
// does slows down both; the ratio is the result.

#include <ATen/Parallel.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include <fmt/core.h>
#include <jpeglib.h>

#include "mtl/data/images/images.hpp"

namespace {

using namespace mtl::images;
using Clock = std::chrono::steady_clock;
namespace fs = std::filesystem;

double milliseconds(Clock::duration time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

// The plainest way to write pictures of the data set's usual size, with detail everywhere.
void write_jpeg(const fs::path& file, int width, int height, int seed) {
  std::vector<uint8_t> row(static_cast<size_t>(3 * width));
  std::FILE* out = std::fopen(file.c_str(), "wb");
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  jpeg_stdio_dest(&info, out);
  info.image_width = static_cast<JDIMENSION>(width);
  info.image_height = static_cast<JDIMENSION>(height);
  info.input_components = 3;
  info.in_color_space = JCS_RGB;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, 90, TRUE);
  jpeg_start_compress(&info, TRUE);
  Random random(7, seed, 0);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int c = 0; c < 3; ++c) {
        const double wave =
            std::sin(0.03 * (c + 1) * x + seed) * std::cos(0.04 * y * (seed % 3 + 1));
        row[static_cast<size_t>(3 * x + c)] =
            static_cast<uint8_t>(127 + 90 * wave + random.uniform(-20, 20));
      }
    }
    uint8_t* scanline = row.data();
    jpeg_write_scanlines(&info, &scanline, 1);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  std::fclose(out);
}

std::vector<fs::path> files_in(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  if (files.size() > 200) files.resize(200);
  return files;
}

// libjpeg-turbo as its manual says, from a file, into one buffer.
Image reference_decode(const fs::path& file) {
  std::FILE* in = std::fopen(file.c_str(), "rb");
  jpeg_decompress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);
  jpeg_create_decompress(&info);
  jpeg_stdio_src(&info, in);
  jpeg_read_header(&info, TRUE);
  jpeg_start_decompress(&info);
  Image image(info.output_width, info.output_height);
  while (info.output_scanline < info.output_height) {
    uint8_t* row = image.row(info.output_scanline);
    jpeg_read_scanlines(&info, &row, 1);
  }
  jpeg_finish_decompress(&info);
  jpeg_destroy_decompress(&info);
  std::fclose(in);
  return image;
}

struct Costs {
  double decode = 0, resize = 0, pipeline = 0;  // milliseconds a picture
};

// For each picture the least of several rounds, in which the reference and the pipeline take turns:
// a machine that does other things beside disturbs most rounds, but hardly all of them.
Costs measure(const std::vector<fs::path>& files, const Compose& transform, int64_t size,
              Filter filter) {
  const Normalize normalize{{0.498, 0.498, 0.498}, {0.502, 0.502, 0.502}};
  std::vector<float> values(static_cast<size_t>(3 * size * size));
  Costs mean;
  for (size_t i = 0; i < files.size(); ++i) {
    Costs best{1e30, 1e30, 1e30};
    for (int round = 0; round < 15; ++round) {
      const auto start = Clock::now();
      const Image image = reference_decode(files[i]);
      const auto decoded = Clock::now();
      const Image resized = resize(image, size, size, filter);
      const auto resized_at = Clock::now();
      Random random(1, static_cast<int64_t>(i), round);
      normalize(transform(read(files[i]).image, random), values.data());
      const auto end = Clock::now();
      best = {std::min(best.decode, milliseconds(decoded - start)),
              std::min(best.resize, milliseconds(resized_at - decoded)),
              std::min(best.pipeline, milliseconds(end - resized_at))};
    }
    const auto count = static_cast<double>(files.size());
    mean.decode += best.decode / count;
    mean.resize += best.resize / count;
    mean.pipeline += best.pipeline / count;
  }
  return mean;
}

double pictures_a_second(const std::vector<fs::path>& files, int64_t workers) {
  const mtl::ImageDataset dataset(files, mtl::NamedTensors(), {.cache_bytes = 0});
  mtl::ImageLoader loader(dataset, {.batch_size = 16,
                                    .transform = Compose{{RandomResizedCrop{224, 224}, Flip{}}},
                                    .workers = workers});
  double best = 0;
  for (int64_t epoch = 0; epoch < 5; ++epoch) {
    const auto start = Clock::now();
    mtl::Batch batch;
    loader.start_epoch(epoch);
    while (loader.next(batch)) {
    }
    best = std::max(best,
                    1000 * static_cast<double>(files.size()) / milliseconds(Clock::now() - start));
  }
  return best;
}

void report(const std::vector<fs::path>& files, int64_t size, Filter filter) {
  const Resize resize{size, size, filter};
  const auto line = [&](const char* what, const Compose& transform) {
    const Costs costs = measure(files, transform, size, filter);
    fmt::print("  {:<58} {:.3f} ms, of {:.3f} + {:.3f} ms: {:.2f}\n", what, costs.pipeline,
               costs.decode, costs.resize, costs.pipeline / (costs.decode + costs.resize));
  };
  fmt::print("to {} px, {}, of libjpeg-turbo's decode + one resize:\n", size,
             filter == Filter::bilinear ? "bilinear" : "bicubic");
  line("read, decode, resize, normalize", {{resize}});
  line("the same with flip and shift", {{resize, Flip{}, Shift{0.1}}});
  line("the same with colour jitter", {{resize, Flip{}, Shift{0.1}, ColorJitter{0.2, 0.2, 0.2}}});
}

}  // namespace

int main(int count, char** arguments) {
  at::set_num_threads(1);
  const fs::path made = fs::temp_directory_path() / "mtl_benchmark_images";
  const bool given = count == 3 && std::string(arguments[1]) == "--pictures";
  if (!given) {
    fs::create_directories(made);
    for (int i = 0; i < 60; ++i)
      write_jpeg(made / fmt::format("picture_{:03}.jpg", i), 500, 375, i);
  }
  const auto files = files_in(given ? fs::path(arguments[2]) : made);
  fmt::print("{} pictures, the first of {} x {} pixels\n", files.size(), read(files[0]).image.width,
             read(files[0]).image.height);
  report(files, 224, Filter::bilinear);
  report(files, 224, Filter::bicubic);
  for (const int64_t workers : {0, 1, 2}) {
    fmt::print("loader, {} workers: {:.0f} pictures a second\n", workers,
               pictures_a_second(files, workers));
  }
  if (!given) fs::remove_all(made);
}
