package yolov2tf.core;

import java.util.Arrays;

/**
 * Finds places for captions, so that none covers another.
 *
 * <p>Asked for the best detection first: it gets the best place. One for which no place is left
 * gets none; a higher threshold makes room. Allocates only when there are more captions than ever.
 */
final class CaptionPlaces {
    private static final int SIDES = 4; // left, top, right, bottom

    private final float[] rows = new float[4];
    private float[] taken = new float[SIDES * 16];
    private int count;
    private float left;
    private float top;

    void clear() {
        count = 0;
    }

    /** Left border of the place found last. */
    float left() {
        return left;
    }

    /** Upper border of the place found last. */
    float top() {
        return top;
    }

    /**
     * Looks for a place at a box: above it, inside at its top, inside at its bottom, below it;
     * then row by row down its sides.
     *
     * @param area what captions must stay in
     * @return whether there is one; it is taken then
     */
    boolean find(float boxLeft, float boxTop, float boxRight, float boxBottom, float width,
            float height, ScreenArea area) {
        float right = boxRight - width;
        rows[0] = boxTop - height;
        rows[1] = Math.max(boxTop, area.y(0));
        rows[2] = Math.min(boxBottom, area.y(1)) - height;
        rows[3] = boxBottom;
        for (float row : rows) {
            if (take(boxLeft, row, width, height, area) || take(right, row, width, height, area)) {
                return true;
            }
        }
        for (float row = boxTop + height; row < boxBottom - height; row += height) {
            if (take(boxLeft, row, width, height, area) || take(right, row, width, height, area)) {
                return true;
            }
        }
        return false;
    }

    private boolean take(float wantedLeft, float wantedTop, float width, float height,
            ScreenArea area) {
        float start = Math.min(area.x(0), area.x(1));
        float end = Math.max(area.x(0), area.x(1));
        float x = Math.max(Math.min(wantedLeft, end - width), start);
        boolean outside = wantedTop < area.y(0) || wantedTop + height > area.y(1);
        if (outside && area.height() >= height || isTaken(x, wantedTop, width, height)) {
            return false;
        }
        if (SIDES * count == taken.length) {
            taken = Arrays.copyOf(taken, 2 * taken.length);
        }
        int next = SIDES * count++;
        taken[next] = x;
        taken[next + 1] = wantedTop;
        taken[next + 2] = x + width;
        taken[next + 3] = wantedTop + height;
        left = x;
        top = wantedTop;
        return true;
    }

    private boolean isTaken(float x, float y, float width, float height) {
        for (int i = 0; i < SIDES * count; i += SIDES) {
            if (x < taken[i + 2] && taken[i] < x + width
                    && y < taken[i + 3] && taken[i + 1] < y + height) {
                return true;
            }
        }
        return false;
    }
}
