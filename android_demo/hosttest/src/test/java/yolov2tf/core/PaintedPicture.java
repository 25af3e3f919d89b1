package yolov2tf.core;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.geom.Rectangle2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.List;
import javax.imageio.ImageIO;

/** Paints pictures with their boxes as the app does, for people to look at. */
final class PaintedPicture {
    private PaintedPicture() {}

    static void save(Golden golden, Detections found, List<String> names) throws IOException {
        Path file = Paths.get(System.getProperty("pictures"), golden + ".png");
        Files.createDirectories(file.getParent());
        ImageIO.write(paint(golden.picture(), found, names, 800, 600, false), "png", file.toFile());
    }

    /** A view of the given size that shows a picture and its boxes. */
    static BufferedImage paint(Picture picture, Detections found, List<String> names, int width,
            int height, boolean mirrored) {
        ScreenArea area = new ScreenArea();
        area.fit(picture.width(), picture.height(), width, height, mirrored);
        BufferedImage view = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = view.createGraphics();
        graphics.setRenderingHint(
                RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BILINEAR);
        graphics.setRenderingHint(
                RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
        int left = Math.round(area.x(0));
        int right = Math.round(area.x(1));
        graphics.drawImage(bitmap(picture), left, Math.round(area.y(0)), right - left,
                Math.round(area.height()), null);
        new DetectionPainter(18, 3).paint(found, 0, names, area, new GraphicsBrush(graphics));
        graphics.dispose();
        return view;
    }

    private static BufferedImage bitmap(Picture picture) {
        BufferedImage image = new BufferedImage(
                picture.width(), picture.height(), BufferedImage.TYPE_INT_RGB);
        int[] columns = new int[picture.width()];
        for (int x = 0; x < columns.length; x++) {
            columns[x] = x;
        }
        float[] rgb = new float[3 * columns.length];
        for (int y = 0; y < picture.height(); y++) {
            picture.read(y, columns, rgb);
            for (int x = 0; x < columns.length; x++) {
                image.setRGB(x, y,
                        (int) rgb[3 * x] << 16 | (int) rgb[3 * x + 1] << 8 | (int) rgb[3 * x + 2]);
            }
        }
        return image;
    }

    private static final class GraphicsBrush implements Brush {
        private final Graphics2D graphics;

        GraphicsBrush(Graphics2D graphics) {
            this.graphics = graphics;
        }

        @Override
        public void outline(float left, float top, float right, float bottom, float thickness,
                int argb) {
            graphics.setColor(new Color(argb, true));
            graphics.setStroke(new BasicStroke(thickness));
            graphics.draw(new Rectangle2D.Float(left, top, right - left, bottom - top));
        }

        @Override
        public void fill(float left, float top, float right, float bottom, int argb) {
            graphics.setColor(new Color(argb, true));
            graphics.fill(new Rectangle2D.Float(left, top, right - left, bottom - top));
        }

        @Override
        public void write(String text, float left, float baseline, float size, int argb) {
            graphics.setColor(new Color(argb, true));
            graphics.setFont(font(size));
            graphics.drawString(text, left, baseline);
        }

        @Override
        public float widthOf(String text, float size) {
            return graphics.getFontMetrics(font(size)).stringWidth(text);
        }

        private static Font font(float size) {
            return new Font(Font.SANS_SERIF, Font.BOLD, 1).deriveFont(size);
        }
    }
}
