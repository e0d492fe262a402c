#include "mtl/report/contact_sheet.hpp"

#include <torch/torch.h>

#include <algorithm>

#include "script.hpp"
#include "values.hpp"

namespace mtl::report {
namespace {

constexpr int tile_gap = 14, title_space = 48, caption_line = 17, letter_width = 7;

// [3, h, w] with the longer side at most `size`, proportions kept.
Tensor fitted(const Tensor& pixels, int64_t size) {
  const int64_t height = pixels.size(1), width = pixels.size(2), longest = std::max(height, width);
  if (longest <= size) return pixels;
  const std::vector<int64_t> smaller{std::max<int64_t>(1, height * size / longest),
                                     std::max<int64_t>(1, width * size / longest)};
  const auto resized =
      at::_upsample_bilinear2d_aa(pixels.unsqueeze(0).to(torch::kFloat), smaller, false);
  return resized.squeeze(0).round().clamp(0, 255).to(torch::kByte);
}

}  // namespace

Figure contact_sheet(const std::string& title, const std::vector<Tile>& tiles, int columns,
                     int tile_size) {
  if (tiles.empty()) throw Error("contact sheet \"{}\": there is no picture", title);
  if (columns < 1 || tile_size < 8)
    throw Error("contact sheet \"{}\": {} columns of {} pixels, expected at least 1 of 8", title,
                columns, tile_size);
  const int count = static_cast<int>(tiles.size());
  columns = std::min(columns, count);
  const int rows = (count + columns - 1) / columns;
  std::vector<std::string> captions;
  int lines = 0;
  for (const Tile& tile : tiles) {
    captions.push_back(wrapped(tile.caption, tile_size / letter_width));
    lines = std::max<int>(lines, 1 + static_cast<int>(std::count(captions.back().begin(),
                                                                 captions.back().end(), '\n')));
  }
  const int cell_width = tile_size + tile_gap,
            cell_height = tile_size + tile_gap + lines * caption_line + 4;
  const int width = tile_gap + columns * cell_width, height = title_space + rows * cell_height;

  Figure figure{clean_text(title), {}, width, height};
  Script script;
  script.line("set encoding utf8\nunset border\nunset tics\nunset key");
  script.line(
      "set lmargin at screen 0\nset rmargin at screen 1\n"
      "set bmargin at screen 0\nset tmargin at screen 1");
  script.line("set xrange [0:{}]\nset yrange [{}:0]", width, height);
  script.line("set label {} at {},{} center front font ',13'",
              literal(shortened(title, width / 10)), width / 2, title_space / 2);

  const Tensor canvas = torch::full({height, width, 3}, 255, torch::kByte);
  for (int i = 0; i < count; ++i) {
    const Tensor& pixels = tiles[i].pixels;
    if (!pixels.defined() || pixels.scalar_type() != torch::kByte || pixels.dim() != 3 ||
        pixels.size(0) != 3 || pixels.numel() == 0)
      throw Error("contact sheet \"{}\": picture {} is {}, expected uint8 [3, H, W]", title, i,
                  pixels.defined()
                      ? shape_text(pixels) + " of " + c10::toString(pixels.scalar_type())
                      : "undefined");
    const Tensor small = fitted(pixels.to(torch::kCPU), tile_size);
    const int64_t left = tile_gap + (i % columns) * cell_width,
                  top = title_space + (i / columns) * cell_height;
    const int64_t x = left + (tile_size - small.size(2)) / 2,
                  y = top + (tile_size - small.size(1)) / 2;
    canvas.slice(0, y, y + small.size(1))
        .slice(1, x, x + small.size(2))
        .copy_(small.permute({1, 2, 0}));
    script.line("set label {} at {},{} center front font ',9'", literal(captions[i]),
                left + tile_size / 2, top + tile_size + caption_line - 4);
  }
  // The pixels follow the command as they are; they are not text and gnuplot counts them.
  script.line(
      "plot '-' binary array=({0},{1}) dx=1 dy=1 origin=(0.5,0.5) format='%uchar%uchar%uchar' "
      "using 1:2:3 with rgbimage",
      width, height);
  figure.script =
      script.text() + std::string(static_cast<const char*>(canvas.data_ptr()), canvas.nbytes());
  figure.photo = true;
  io::Json values = io::Json::array();
  for (const Tile& tile : tiles) values.push_back(clean_text(tile.caption));
  figure.values = values_text({{"captions", values}});
  return figure;
}

}  // namespace mtl::report
