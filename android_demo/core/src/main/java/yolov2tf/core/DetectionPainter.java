package yolov2tf.core;

import java.util.List;

/** Draws boxes, names and scores: better ones over worse ones, names over boxes and beside names. */
public final class DetectionPainter {
    /** Those of {@code yolov2_tf.drawing.pictures}: far apart from one another. */
    private static final int[] COLORS = {
        0xFFFF3C3C, 0xFF2DFF5A, 0xFF004BF0, 0xFF1E7800, 0xFFA5B4FF, 0xFFB400C3, 0xFFFFB400,
        0xFF00B496, 0xFFFF69FF, 0xFF964B2D, 0xFF00F0F0, 0xFF7878C3, 0xFFB48700, 0xFFFF96A5,
        0xFF96C300, 0xFFC30F69, 0xFF874BFF, 0xFFD269A5, 0xFFC3E196, 0xFF1EA500
    };

    private static final int INK = 0xFF101014;
    private static final int PAPER = 0xFFFFFFFF;

    private final float textSize;
    private final float thickness;
    private final CaptionPlaces places = new CaptionPlaces();
    private List<String> names;
    private String[][] captions; // by label and percent: a string is made once

    /**
     * @param textSize height of the text in pixels
     * @param thickness of the lines in pixels
     */
    public DetectionPainter(float textSize, float thickness) {
        this.textSize = textSize;
        this.thickness = thickness;
    }

    /**
     * Draws what was found.
     *
     * @param found the detections
     * @param threshold those that score above this are drawn, 0..1
     * @param classNames what their labels index
     * @param area where on the view the picture is
     * @param brush draws
     */
    public void paint(Detections found, float threshold, List<String> classNames, ScreenArea area,
            Brush brush) {
        if (classNames != names) {
            names = classNames;
            captions = new String[classNames.size()][];
        }
        int count = found.countAbove(threshold);
        for (int i = count - 1; i >= 0; i--) {
            brush.outline(left(found, i, area), area.y(found.top(i)), right(found, i, area),
                    area.y(found.bottom(i)), thickness, color(found.label(i)));
        }
        places.clear();
        for (int i = 0; i < count; i++) {
            paintCaption(found, i, area, brush);
        }
    }

    private void paintCaption(Detections found, int index, ScreenArea area, Brush brush) {
        String caption = caption(found.label(index), found.score(index));
        float padding = textSize / 4;
        float width = brush.widthOf(caption, textSize) + 2 * padding;
        float height = textSize + 2 * padding;
        float outer = thickness / 2;
        boolean fits = places.find(left(found, index, area) - outer,
                area.y(found.top(index)) - outer, right(found, index, area) + outer,
                area.y(found.bottom(index)) + outer, width, height, area);
        if (!fits) {
            return;
        }
        float left = places.left();
        float top = places.top();
        int color = color(found.label(index));
        brush.fill(left, top, left + width, top + height, color);
        brush.write(caption, left + padding, top + padding + 0.85f * textSize, textSize,
                isLight(color) ? INK : PAPER);
    }

    private static float left(Detections found, int index, ScreenArea area) {
        return Math.min(area.x(found.left(index)), area.x(found.right(index)));
    }

    private static float right(Detections found, int index, ScreenArea area) {
        return Math.max(area.x(found.left(index)), area.x(found.right(index)));
    }

    private String caption(int label, float score) {
        int percent = Math.max(0, Math.min(Math.round(100 * score), 100));
        if (label < 0 || label >= captions.length) {
            return "? " + percent + " %";
        }
        if (captions[label] == null) {
            captions[label] = new String[101];
        }
        if (captions[label][percent] == null) {
            captions[label][percent] = names.get(label) + "  " + percent + " %";
        }
        return captions[label][percent];
    }

    /** Colour of a class, as {@code 0xAARRGGBB}. */
    public static int color(int label) {
        return COLORS[Math.floorMod(label, COLORS.length)];
    }

    private static boolean isLight(int color) {
        int red = color >> 16 & 0xFF;
        int green = color >> 8 & 0xFF;
        int blue = color & 0xFF;
        return 299 * red + 587 * green + 114 * blue > 130_000;
    }
}
